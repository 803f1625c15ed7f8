// SPDX-License-Identifier: GPL-2.0-or-later
// The rules on the hwrng that the kernel uses, and on what could be one.
#pragma once

#include "doctor/machine.h"

namespace hwrngd::diagnosis {

/// Why the kernel uses no hwrng: the nearest cause.
[[nodiscard]] Finding why_no_hwrng(const Machine &machine);

/// What is wrong with the hwrng in use; nothing if it gives bytes, or was not read.
[[nodiscard]] std::optional<Finding> ill_hwrng(const Machine &machine);

/// Why `tpm` is no hwrng.
[[nodiscard]] Finding tpm_not_hwrng(const Machine &machine, const Tpm &tpm);

/// A TPM that the firmware's tables have and the kernel has not.
[[nodiscard]] std::optional<Finding> hidden_tpm(const Machine &machine);

} // namespace hwrngd::diagnosis
