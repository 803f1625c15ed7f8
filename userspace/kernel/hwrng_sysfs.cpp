// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/hwrng_sysfs.h"

#include "base/interrupt.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <sstream>
#include <thread>

#include <fmt/ranges.h>

namespace hwrngd {

namespace {

constexpr const char *folder = "/sys/class/misc/hw_random";
constexpr const char *rng_current = "/sys/class/misc/hw_random/rng_current";
constexpr const char *rng_available = "/sys/class/misc/hw_random/rng_available";
constexpr const char *rng_selected = "/sys/class/misc/hw_random/rng_selected";
constexpr const char *rng_quality = "/sys/class/misc/hw_random/rng_quality";

} // namespace

bool HwrngState::offers(const std::string &name) const
{
	return std::find(available.begin(), available.end(), name) != available.end();
}

Result<HwrngState> HwrngSysfs::read() const
{
	if (!root_.exists(folder))
		return fail(ExitCode::no_source,
		            fmt::format("{} is missing: this kernel has no hwrng framework "
		                        "(CONFIG_HW_RANDOM), or its module rng-core is not loaded "
		                        "(`modprobe rng-core`)",
		                        folder));
	HwrngState state;
	const auto available = root_.read(rng_available);
	const auto current = root_.read(rng_current);
	if (!available)
		return std::unexpected(available.error());
	if (!current)
		return std::unexpected(current.error());
	std::istringstream words(*available);
	for (std::string word; words >> word;) {
		if (word == "none")
			state.can_select_none = true;
		else
			state.available.push_back(word);
	}
	if (*current != "none")
		state.current = *current;
	state.selected = root_.read_number(rng_selected).value_or(0) != 0;
	state.has_quality_file = root_.exists(rng_quality);
	state.quality = root_.read_number(rng_quality); // fails with ENODEV while no RNG is in use
	return state;
}

Result<FileDescriptor> HwrngSysfs::lock(std::chrono::milliseconds limit, Purpose purpose) const
{
	auto fd = root_.open(rng_current, O_RDONLY);
	if (!fd) // no hwrng framework
		return fail_source(fd.error());
	const auto end = std::chrono::steady_clock::now() + limit;
	while (true) {
		if (purpose == Purpose::change && interrupted() != 0)
			return fail_errno(EINTR, root_.at(rng_current).string());
		if (flock(fd->get(), LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail_errno(errno, root_.at(rng_current).string());
		if (std::chrono::steady_clock::now() >= end)
			return fail(
			    ExitCode::unavailable,
			    "hwrngd or another hwrngctl is probing a hwrng, which is current until the probe "
			    "ends: try again then");
		std::this_thread::sleep_for(std::chrono::milliseconds(20));
	}
}

Result<void> HwrngSysfs::write_current(const std::string &text) const
{
	auto written = root_.write(rng_current, text);
	if (!written && written.error().code == ExitCode::not_permitted)
		written.error().message += "; choosing the hwrng needs root (or write access to this file)";
	if (!written)
		return fail_source(written.error());
	return {};
}

Result<void> HwrngSysfs::select(const std::string &name) const
{
	const auto state = read();
	if (!state)
		return std::unexpected(state.error());
	const bool none = name == "none";
	if (none ? !state->can_select_none : !state->offers(name))
		return fail(
		    ExitCode::no_source,
		    fmt::format("this machine has no hwrng \"{}\". Available: {}. `auto` lets the kernel "
		                "choose{}",
		                name,
		                state->available.empty()
		                    ? "none"
		                    : fmt::format("{}", fmt::join(state->available, ", ")),
		                state->can_select_none ? ", `none` makes it use no hwrng" : ""));
	if (auto written = write_current(name); !written)
		return written;
	const auto after = read();
	if (!after)
		return std::unexpected(after.error());
	if (after->current != (none ? "" : name))
		return fail(ExitCode::io_error,
		            fmt::format("the kernel did not select \"{}\": rng_current is \"{}\" after the "
		                        "write (the device may have failed to start; see dmesg)",
		                        name, after->current.empty() ? "none" : after->current));
	return {};
}

Result<void> HwrngSysfs::select_automatically() const
{
	const auto state = read(); // for its clear error if there is no framework
	if (!state)
		return std::unexpected(state.error());
	return write_current("\n");
}

Result<void> HwrngSysfs::restore(const HwrngState &before) const
{
	const auto put_back = [&]() -> Result<void> {
		if (!before.selected)
			return select_automatically();
		return select(before.current.empty() ? "none" : before.current);
	};
	auto done = put_back();
	if (!done)
		return done;
	const auto after = read();
	if (!after)
		return std::unexpected(after.error());
	// Linux 6.1 and later: a switch during a slow read gives the old RNG the quality of the new
	// one. Writing the quality makes the kernel choose again, so restore the choice once more.
	if (after->current == before.current && before.quality && after->quality != before.quality) {
		auto text = std::to_string(*before.quality);
		if (auto written = root_.write(rng_quality, text + "\n"); !written)
			return written;
		return put_back();
	}
	return {};
}

} // namespace hwrngd
