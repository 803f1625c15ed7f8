// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/modules.h"

#include <algorithm>

#include <fmt/ranges.h>

namespace hwrngd {

std::vector<ModuleDecision> decide_modules(const Inventory &inventory, const Config &config)
{
	std::vector<ModuleDecision> decisions;
	decisions.reserve(config.modules.size());
	for (const auto &module : config.modules)
		decisions.push_back({.module = module,
		                     .why_not = module == "tpm_rng" ? why_not_tpm_rng(inventory)
		                                                    : why_not_cpu_rng(inventory, config)});
	return decisions;
}

std::string why_not_tpm_rng(const Inventory &inventory)
{
	std::vector<std::string> served;
	for (const auto &tpm : inventory.tpms) {
		if (!tpm.hwrng || !tpm.hwrng->starts_with("tpm-rng-"))
			return "";
		served.push_back(fmt::format("{} as {}", tpm.name, *tpm.hwrng));
	}
	if (served.empty())
		return "this machine has no TPM";
	return fmt::format("the kernel already serves {}", fmt::join(served, ", "));
}

std::string why_not_cpu_rng(const Inventory &inventory, const Config &config)
{
	if (inventory.cpu_instructions.empty()) {
		if (inventory.faulty_instructions.empty())
			return "this CPU has no random number instruction";
		const auto &[name, erratum] = inventory.faulty_instructions.front();
		return fmt::format("{} of this CPU is not reliable: {}", name, erratum);
	}
	const auto is_credited = [&](const std::string &instruction) {
		return config.source(instruction).credit.value_or(0) > 0 ||
		       config.source("cpu_rng." + instruction).credit.value_or(0) > 0;
	};
	if (inventory.cpu_distrust.empty() ||
	    std::ranges::any_of(inventory.cpu_instructions, is_credited))
		return "";
	return fmt::format("{}, and no `credit` is configured for the CPU", inventory.cpu_distrust);
}

} // namespace hwrngd
