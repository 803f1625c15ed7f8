// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's choice of the kernel's hwrng: made, remembered for the next daemon should this one
// be killed, and handed back.
#pragma once

#include "base/error.h"
#include "base/root.h"
#include "kernel/hwrng_sysfs.h"

#include <chrono>
#include <optional>
#include <string>

namespace hwrngd::hwrng_choice {

/// The hwrng that a daemon has chosen and has not handed back, if any.
[[nodiscard]] Result<std::optional<std::string>> remembered(const Root &root);

/// Makes `name` the kernel's hwrng, and remembers it. Waits at most `limit` for who probes one.
/// Returns false, and has done nothing, if what the kernel uses is not as `seen` any more: somebody
/// else has chosen since that was looked at, and it must be decided anew.
[[nodiscard]] Result<bool> make(const Root &root, const std::string &name, const HwrngState &seen,
                                std::chrono::milliseconds limit);

/// Puts back what a process left that was killed during a probe. Waits as above; without a
/// framework there is nothing to do.
[[nodiscard]] Result<void> recover(const Root &root, std::chrono::milliseconds limit);

/// As recover(), after an interrupt too; and if a remembered choice is still the kernel's hwrng,
/// the kernel chooses again.
[[nodiscard]] Result<void> hand_back(const Root &root, std::chrono::milliseconds limit);

} // namespace hwrngd::hwrng_choice
