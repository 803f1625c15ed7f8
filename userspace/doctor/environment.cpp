// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/environment.h"

#include <string_view>

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
	// Debian's file, then Fedora's, which also exists in some containers and images without /boot.
	for (const auto &file :
	     {"/boot/config-" + inventory.kernel, "/lib/modules/" + inventory.kernel + "/config"}) {
		const auto config = root.read_if_any(file);
		if (!config)
			continue;
		const std::string_view key = "\nCONFIG_HW_RANDOM_TPM=";
		const auto at = config->find(key);
		around.config_hw_random_tpm =
		    at == std::string::npos ? "n" : config->substr(at + key.size(), 1);
		around.config_file = file;
		break;
	}
	return around;
}

} // namespace hwrngd
