// SPDX-License-Identifier: GPL-2.0-or-later
// Rules about the hwrng that the kernel uses, and about devices that could become one.
#pragma once

#include "doctor/machine.h"

namespace hwrngd::diagnosis {

/// Why the kernel uses no hwrng: the most likely cause.
[[nodiscard]] Finding why_no_hwrng(const Machine &machine);

/// What is wrong with the hwrng in use; nothing if it returns data or was not read.
[[nodiscard]] std::optional<Finding> hwrng_fault(const Machine &machine);

/// A source that its module has given up. Its id is hwrng-withdrawn.
[[nodiscard]] Finding withdrawn(const Machine &machine, const ModuleSource &source);

/// Why `tpm` is not a hwrng.
[[nodiscard]] Finding tpm_not_hwrng(const Machine &machine, const Tpm &tpm);

/// A TPM that the firmware's tables list but the kernel did not find.
[[nodiscard]] std::optional<Finding> hidden_tpm(const Machine &machine);

} // namespace hwrngd::diagnosis
