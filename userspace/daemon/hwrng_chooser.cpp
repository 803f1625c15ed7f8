// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/hwrng_chooser.h"

#include "base/log.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

// At exit: a probe may still have to restore what it changed.
constexpr auto end_limit = 10s;

} // namespace

HwrngChooser::HwrngChooser(Root root, ControlThread &control, std::function<void()> on_change)
    : root_(std::move(root)), control_(control), on_change_(std::move(on_change))
{
}

Result<void> HwrngChooser::start()
{
	const auto remembered = hwrng_choice::remembered(root_);
	if (!remembered)
		return std::unexpected(remembered.error());
	chosen_ = *remembered;
	control_.run([root = root_] {
		if (const auto done = hwrng_choice::recover(root, hwrng_lock_limit); !done)
			log(Priority::warning, Event::hwrng_refused, done.error().message);
	});
	return {};
}

void HwrngChooser::choose(const std::string &name, const std::string &reason,
                          const HwrngState &seen)
{
	if (name == pending_ || name == refused_)
		return;
	pending_ = name;
	control_.run([root = root_, name,
	              seen] { return hwrng_choice::make(root, name, seen, hwrng_lock_limit); },
	             [this, name, reason](const Result<bool> &done) { finish(name, reason, done); });
}

void HwrngChooser::finish(const std::string &name, const std::string &reason,
                          const Result<bool> &done)
{
	if (name == pending_)
		pending_.clear();
	if (!done) {
		refused_ = name;
		log(Priority::warning, Event::hwrng_refused, done.error().message,
		    {{"HWRNGD_SOURCE", name}});
		return;
	}
	refused_.clear();
	if (*done) {
		chosen_ = name;
		log(Priority::notice, Event::hwrng_chosen,
		    fmt::format("the kernel's hwrng is now {}: {}", name, reason),
		    {{"HWRNGD_SOURCE", name}});
	}
	on_change_();
}

Result<void> HwrngChooser::hand_back() const
{
	return hwrng_choice::hand_back(root_, end_limit);
}

} // namespace hwrngd
