// SPDX-License-Identifier: GPL-2.0-or-later
// What surrounds the sources, for whoever wants to understand a machine: who else feeds the pool,
// our modules, the kernel's configuration.
#pragma once

#include "control/feeders.h"
#include "control/inventory.h"
#include "kernel/kernel_module.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd {

struct Environment {
	std::vector<Feeder> feeders;
	bool sees_all_processes = false;  ///< false in a container, where `feeders` is no whole list
	std::vector<ModuleState> modules; ///< tpm_rng and cpu_rng
	/// "y", "m", "n" of CONFIG_HW_RANDOM_TPM, if the kernel's configuration can be read.
	std::optional<std::string> config_hw_random_tpm;
	std::string config_file; ///< where that was read

	/// Is a process or thread of that name among the feeders?
	[[nodiscard]] bool feeds(std::string_view name) const
	{
		return std::ranges::find(feeders, name, &Feeder::name) != feeders.end();
	}
};

/// Looks around on the machine of `inventory`. Changes nothing; what cannot be read is left out.
[[nodiscard]] Environment inspect_environment(const Root &root, const Inventory &inventory);

} // namespace hwrngd
