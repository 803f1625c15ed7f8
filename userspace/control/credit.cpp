// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/credit.h"

#include <string_view>

namespace hwrngd {

std::string distrust_of(const SourceInfo &source, const Inventory &inventory)
{
	constexpr std::string_view module = "cpu_rng.";
	const bool served = source.kind == SourceKind::hwrng && source.name.starts_with(module);
	if (source.kind != SourceKind::cpu && !served)
		return "";
	// Only the module's parameter `force` makes it serve one of these.
	const auto instruction = std::string_view(source.name).substr(served ? module.size() : 0);
	for (const auto &[name, erratum] : inventory.faulty_instructions)
		if (name == instruction)
			return erratum;
	return inventory.cpu_distrust;
}

std::string_view why_uncredited(const SourceInfo &source, const SourceConfig &settings)
{
	return settings.credit ? std::string_view() : source.distrust;
}

uint64_t credited_bits(uint64_t bytes, const SourceInfo &source, const SourceConfig &settings)
{
	if (!why_uncredited(source, settings).empty())
		return 0;
	return credited_bits(bytes, source.claim, settings.assessed.value_or(full_quality),
	                     settings.credit);
}

bool earns_credit(const SourceInfo &source, const SourceConfig &settings)
{
	return credited_bits(full_quality, source, settings) > 0;
}

} // namespace hwrngd
