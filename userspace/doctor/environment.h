// SPDX-License-Identifier: GPL-2.0-or-later
// What is around the sources: other feeders of the pool, our modules, the kernel's configuration.
#pragma once

#include "control/feeders.h"
#include "control/inventory.h"
#include "kernel/kernel_module.h"
#include "kernel/module_sources.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd {

struct Environment {
	std::vector<Feeder> feeders;
	bool sees_all_processes = false;  ///< false in a container: `feeders` is incomplete
	std::vector<ModuleState> modules; ///< tpm_rng and cpu_rng
	std::vector<ModuleSource> module_sources;
	/// CONFIG_HW_RANDOM_TPM: "y", "m" or "n", if the kernel's configuration can be read.
	std::optional<std::string> config_hw_random_tpm;
	std::string config_file; ///< the file it was read from

	/// The source of a module of ours with that name, or nullptr.
	[[nodiscard]] const ModuleSource *module_source(std::string_view name) const
	{
		const auto found = std::ranges::find(module_sources, name, &ModuleSource::name);
		return found == module_sources.end() ? nullptr : &*found;
	}

	/// Is a process or thread of that name among the feeders?
	[[nodiscard]] bool feeds(std::string_view name) const
	{
		return std::ranges::find(feeders, name, &Feeder::name) != feeders.end();
	}
};

/// Inspects the machine of `inventory`. Changes nothing, and omits what cannot be read.
[[nodiscard]] Environment inspect_environment(const Root &root, const Inventory &inventory);

} // namespace hwrngd
