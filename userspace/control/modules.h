// SPDX-License-Identifier: GPL-2.0-or-later
// Decides which kernel modules are loaded. Pure functions of inventory and configuration.
#pragma once

#include "control/config.h"
#include "control/inventory.h"

#include <string>
#include <vector>

namespace hwrngd {

struct ModuleDecision {
	std::string module;
	std::string why_not; ///< why the daemon does not load it; empty: it does
};

/// What the daemon does with each of `modules` of the configuration.
[[nodiscard]] std::vector<ModuleDecision> decide_modules(const Inventory &inventory,
                                                         const Config &config);

/// Why the module tpm_rng would serve no TPM: there is none, or the kernel serves all of them
/// itself. Empty if it would serve one.
[[nodiscard]] std::string why_not_tpm_rng(const Inventory &inventory);

/// Why the module cpu_rng must not be loaded unless an administrator demands it: the CPU has no
/// usable instruction, or the kernel does not trust the CPU and no credit for it is configured.
/// Empty if it may be loaded.
[[nodiscard]] std::string why_not_cpu_rng(const Inventory &inventory, const Config &config);

} // namespace hwrngd
