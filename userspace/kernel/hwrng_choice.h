// SPDX-License-Identifier: GPL-2.0-or-later
// Makes the daemon's choice of the kernel's hwrng, records it in case the daemon is killed, and
// hands the choice back to the kernel.
#pragma once

#include "base/error.h"
#include "base/root.h"
#include "kernel/hwrng_sysfs.h"

#include <chrono>
#include <optional>
#include <string>

namespace hwrngd::hwrng_choice {

/// The hwrng that a daemon has chosen and not handed back, if any.
[[nodiscard]] Result<std::optional<std::string>> remembered(const Root &root);

/// Makes `name` the kernel's hwrng and records that. Waits up to `limit` while another process
/// probes a hwrng. Returns false without changing anything if the kernel's choice is no longer as
/// in `seen`: then another process has changed it, and the caller must decide again.
[[nodiscard]] Result<bool> make(const Root &root, const std::string &name, const HwrngState &seen,
                                std::chrono::milliseconds limit);

/// Restores the choice if a process was killed during a probe. Waits like make(). Does nothing
/// without a framework.
[[nodiscard]] Result<void> recover(const Root &root, std::chrono::milliseconds limit);

/// Does what recover() does, even after an interrupt. Then, if a recorded choice is still the
/// kernel's hwrng, lets the kernel choose.
[[nodiscard]] Result<void> hand_back(const Root &root, std::chrono::milliseconds limit);

} // namespace hwrngd::hwrng_choice
