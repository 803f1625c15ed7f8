// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/visit.h"

#include "source/secret_buffer.h"

#include <cstdio>

namespace hwrngd {

namespace {

constexpr const char *dev_hwrng = "/dev/hwrng";
// RNG_BUFFER_SIZE of the framework is 64 on machines with cache lines of that size or less.
constexpr size_t stale_bytes = 64;
// The framework fills 64 bytes a round; so small a read shows that a slow device lives.
constexpr size_t read_piece = 128;
// Another visit may have to read a slow TPM.
constexpr std::chrono::seconds lock_limit{60};

} // namespace

Result<Visit> Visit::begin(const Root &root, const std::string &name)
{
	Visit visit(root, name);
	if (auto state = visit.sysfs_.read(); !state) // a clear error where there is no framework
		return std::unexpected(state.error());
	// Opened before anything is changed: without the right to read, nothing has to be put back.
	auto source = open_device(root.at(dev_hwrng), read_piece);
	if (!source) {
		if (source.error().code == ExitCode::not_permitted)
			source.error().message += "; reading it needs root";
		return std::unexpected(source.error());
	}
	visit.source_ = std::move(*source);
	auto lock = visit.sysfs_.lock(lock_limit);
	if (!lock)
		return std::unexpected(lock.error());
	visit.lock_ = std::move(*lock);
	const auto state = visit.sysfs_.read();
	if (!state)
		return std::unexpected(state.error());
	if (state->current != name) {
		visit.before_ = std::make_unique<HwrngState>(*state);
		if (auto selected = visit.sysfs_.select(name); !selected)
			return std::unexpected(selected.error());
	}
	SecretBuffer stale(stale_bytes);
	const auto discarded = fill(*visit.source_, stale.span());
	if (!discarded)
		return std::unexpected(discarded.error());
	return visit;
}

Visit::~Visit()
{
	if (const auto ended = end(); !ended)
		fmt::print(stderr, "hwrngctl: rng_current was not put back: {}\n", ended.error().message);
}

Result<void> Visit::end()
{
	if (!before_)
		return {};
	const auto before = std::move(before_);
	const auto now = sysfs_.read();
	if (!now)
		return std::unexpected(now.error());
	// When the visited RNG vanishes the kernel chooses another, which is nobody's choice.
	if (now->selected && now->current != name_)
		return {};
	auto restored = sysfs_.restore(*before);
	if (!restored)
		return restored;
	if (before->current.empty())
		return {};
	// A fresh descriptor: a stalled read may still hold the old one. That the RNG put back gives
	// nothing now is its own trouble, and was so before.
	if (auto source = open_device(root_.at(dev_hwrng), read_piece)) {
		SecretBuffer stale(stale_bytes);
		[[maybe_unused]] const auto discarded =
		    (*source)->read(stale.span(), std::chrono::seconds(2));
	}
	return {};
}

} // namespace hwrngd
