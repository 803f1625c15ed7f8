// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/policy.h"

#include "pool/credit.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

namespace hwrngd {

namespace {

/// The names of all sources, for a message.
std::string names(const Inventory &inventory)
{
	std::string text;
	for (const auto &source : inventory.sources)
		text += (text.empty() ? "" : ", ") + source.name;
	return text;
}

int order(const SourceInfo &source)
{
	if (source.kind == SourceKind::hwrng)
		return source.current ? 0 : 1;
	return source.kind == SourceKind::tpm2 ? 2 : 3;
}

const char *reason(const SourceInfo &source)
{
	if (source.kind == SourceKind::tpm2)
		return "TPM 2.0 through its resource manager";
	if (source.kind == SourceKind::cpu)
		return "instruction of the CPU";
	return source.current ? "the hwrng that the kernel uses" : "hwrng, not in use";
}

/// May another hwrng be made current for a while, without having been asked for by name? A choice
/// of "none" is somebody's will, and a visit is not worth a deadlock.
bool may_visit(const std::optional<HwrngState> &hwrng)
{
	return hwrng && !(hwrng->selected && hwrng->current.empty()) &&
	       !hwrng->switching_can_deadlock();
}

} // namespace

Result<std::vector<Candidate>> rank(const Inventory &inventory,
                                    const std::optional<std::string> &wanted)
{
	std::vector<Candidate> candidates;
	for (const auto &source : inventory.sources) {
		if (wanted) {
			if (source.name == *wanted)
				candidates.push_back({source, "asked for by name"});
			continue;
		}
		if (source.kind == SourceKind::hwrng && !source.current && !may_visit(inventory.hwrng))
			continue;
		candidates.push_back({source, reason(source)});
	}
	if (wanted && candidates.empty())
		return fail(ExitCode::no_source,
		            fmt::format("\"{}\" is no source of this machine; it has: {}", *wanted,
		                        inventory.sources.empty() ? "none at all" : names(inventory)));
	if (candidates.empty())
		return fail(
		    ExitCode::no_source,
		    "this machine has no source of randomness that can be used: no hwrng, no TPM 2.0, "
		    "no instruction of the CPU. `hwrngctl status` shows what was looked for; give a "
		    "virtual machine a virtio-rng device");
	const auto key = [](const Candidate &candidate) {
		const auto &source = candidate.source;
		return std::tuple(order(source), full_quality - std::min(source.claim, full_quality),
		                  std::string_view(source.name));
	};
	std::sort(candidates.begin(), candidates.end(),
	          [&](const Candidate &a, const Candidate &b) { return key(a) < key(b); });
	return candidates;
}

std::optional<std::string> switching_danger(const HwrngState &state, const std::string &name)
{
	// These register a quality above 0 on every kernel.
	constexpr std::array<std::string_view, 3> safe{"virtio_rng.", "tpm_rng.", "cpu_rng."};
	if (!state.switching_can_deadlock() || name == state.current || state.current.empty())
		return std::nullopt;
	for (const auto prefix : safe)
		if (name.starts_with(prefix))
			return std::nullopt;
	return fmt::format("this kernel can hang for ever in a switch from {} to {} (its hwrng thread, "
	                   "if the driver states no quality)",
	                   state.current, name);
}

} // namespace hwrngd
