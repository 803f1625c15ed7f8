// SPDX-License-Identifier: GPL-2.0-or-later
// Reads and changes which RNG the kernel's hwrng framework uses (/sys/class/misc/hw_random).
// drivers/char/hw_random/core.c; Documentation/admin-guide/hw_random.rst.
#pragma once

#include "base/root.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

/// The state of the framework. An empty `current` means that no RNG is in use.
struct HwrngState {
	std::vector<std::string> available; ///< names, without the token "none" of newer kernels
	std::string current;
	bool selected = false;        ///< a user or a program chose `current` (or none), not the kernel
	bool can_select_none = false; ///< since Linux 6.12
	std::optional<unsigned> quality; ///< credited bits per 1024 bits of `current`; absent on 5.10

	[[nodiscard]] bool offers(const std::string &name) const;
	/// Kernels without rng_quality (5.10) can deadlock if the choice moves from an RNG with quality
	/// to one without while the kernel's thread reads.
	[[nodiscard]] bool switching_can_deadlock() const { return !has_quality_file; }

	bool has_quality_file = false;

	[[nodiscard]] bool operator==(const HwrngState &) const = default;
};

/// How long to wait for HwrngSysfs::lock(): another program of ours may be probing a slow TPM.
inline constexpr std::chrono::seconds hwrng_lock_limit{60};

class HwrngSysfs {
public:
	explicit HwrngSysfs(Root root) : root_(std::move(root)) {}

	/// Fails with ExitCode::no_source if the kernel has no hwrng framework.
	[[nodiscard]] Result<HwrngState> read() const;

	/// What the lock is for. After an interrupt only `put_back` gets it.
	enum class Purpose : uint8_t { change, put_back };

	/// While the result lives, keeps other processes of this project from changing the choice
	/// (flock(2) on rng_current). Waits up to `limit` for the lock.
	[[nodiscard]] Result<FileDescriptor> lock(std::chrono::milliseconds limit,
	                                          Purpose purpose = Purpose::change) const;

	/// Makes `name` the current RNG ("none" only if can_select_none). Reads rng_current to check
	/// the result, since kernels up to 6.12 silently accept any name.
	[[nodiscard]] Result<void> select(const std::string &name) const;

	/// Lets the kernel choose: it takes the RNG of the highest quality.
	[[nodiscard]] Result<void> select_automatically() const;

	/// Restores the choice in `before`, and the quality if a kernel bug has changed it.
	[[nodiscard]] Result<void> restore(const HwrngState &before) const;

private:
	[[nodiscard]] Result<void> write_current(const std::string &text) const;

	Root root_;
};

} // namespace hwrngd
