// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/environment.h"

#include "kernel/kernel_option.h"

namespace hwrngd {

Environment inspect_environment(const Root &root, const Inventory &inventory)
{
	Environment around;
	around.feeders = find_feeders(root, inventory.hwrng ? inventory.hwrng->current : "");
	// Outside of containers process 2 is the parent of all kernel threads.
	around.sees_all_processes = root.read_if_any("/proc/2/comm") == "kthreadd";
	if (const auto modules = KernelModules::open(root, inventory.kernel))
		for (const char *module : {"tpm_rng", "cpu_rng"})
			around.modules.push_back(modules->inspect(module));
	for (const char *module : {"tpm_rng", "cpu_rng"})
		std::ranges::move(module_sources(root, module), std::back_inserter(around.module_sources));
	if (const auto option = kernel_option(root, inventory.kernel, "CONFIG_HW_RANDOM_TPM")) {
		around.config_hw_random_tpm = option->value.empty() ? "n" : option->value;
		around.config_file = option->file;
	}
	return around;
}

} // namespace hwrngd
