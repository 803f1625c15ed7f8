// SPDX-License-Identifier: GPL-2.0-or-later
// /sys/class/misc/hw_random: which RNG the kernel's hwrng framework uses, and changing it.
// drivers/char/hw_random/core.c; Documentation/admin-guide/hw_random.rst.
#pragma once

#include "base/root.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

/// What the framework says of itself. An empty `current` means that no RNG is in use.
struct HwrngState {
	std::vector<std::string> available; ///< names, without the token "none" of newer kernels
	std::string current;
	bool selected = false; ///< `current` (or "no RNG") is somebody's choice, not the kernel's
	bool can_select_none = false;    ///< since Linux 6.12
	std::optional<unsigned> quality; ///< credited bits per 1024 bits of `current`; absent on 5.10

	[[nodiscard]] bool offers(const std::string &name) const;
	/// Kernels without rng_quality (5.10) can deadlock for ever when the choice moves from an RNG
	/// with quality to one without while the kernel's thread reads.
	[[nodiscard]] bool switching_can_deadlock() const { return !has_quality_file; }

	bool has_quality_file = false;

	[[nodiscard]] bool operator==(const HwrngState &) const = default;
};

class HwrngSysfs {
public:
	explicit HwrngSysfs(Root root) : root_(std::move(root)) {}

	/// Errors: ExitCode::no_source when the kernel has no hwrng framework.
	[[nodiscard]] Result<HwrngState> read() const;

	/// After an interrupt nobody gets the lock any more but who puts things back.
	enum class Purpose : uint8_t { change, put_back };

	/// Keeps other processes of this project from changing the choice for as long as the result
	/// lives (flock(2) on rng_current). Waits at most `limit` for them.
	[[nodiscard]] Result<FileDescriptor> lock(std::chrono::milliseconds limit,
	                                          Purpose purpose = Purpose::change) const;

	/// Makes `name` (or "none" where can_select_none) the current RNG, and reads back that it is:
	/// kernels before 6.12 accept any name in silence.
	[[nodiscard]] Result<void> select(const std::string &name) const;

	/// Hands the choice back to the kernel, which takes the RNG of the highest quality.
	[[nodiscard]] Result<void> select_automatically() const;

	/// Puts back what `before` tells: choice, and quality where a kernel's bug has moved it.
	[[nodiscard]] Result<void> restore(const HwrngState &before) const;

private:
	[[nodiscard]] Result<void> write_current(const std::string &text) const;

	Root root_;
};

} // namespace hwrngd
