// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/policy.h"

#include "control/credit.h"

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
	switch (source.kind) {
	case SourceKind::hwrng:
		return source.current ? 0 : 1;
	case SourceKind::tpm2:
		return 2;
	case SourceKind::generator:
	case SourceKind::command:
	case SourceKind::egd:
	case SourceKind::ssh:
		return 3;
	case SourceKind::cpu:
		return 4;
	case SourceKind::jitter:
		break;
	}
	return 5;
}

const char *reason(const SourceInfo &source)
{
	switch (source.kind) {
	case SourceKind::hwrng:
		break;
	case SourceKind::tpm2:
		return "TPM 2.0 through its resource manager";
	case SourceKind::cpu:
		return "CPU instruction";
	case SourceKind::generator:
		return "configured FIFO or device";
	case SourceKind::command:
		return "configured command";
	case SourceKind::egd:
		return "another machine, by the EGD protocol";
	case SourceKind::ssh:
		return "another machine, over SSH";
	case SourceKind::jitter:
		return "CPU timing jitter, collected by the kernel";
	}
	return source.current ? "the hwrng that the kernel uses" : "hwrng, not in use";
}

/// Why no other hwrng may be probed unless a user names it, or nullptr. The reasons: an
/// administrator chose "none", or a probe could end in a deadlock.
const char *no_probe(const std::optional<HwrngState> &hwrng)
{
	if (!hwrng)
		return "this kernel has no hwrng framework";
	if (hwrng->switching_can_deadlock())
		return "not in use, and this kernel can hang when the hwrng is switched";
	return hwrng->selected && hwrng->current.empty()
	           ? "an administrator switched the hwrng off (rng_current is none)"
	           : nullptr;
}

/// The first of `patterns` that matches, or nullptr.
const std::string *first_match(const std::vector<std::string> &patterns, const std::string &name)
{
	const auto found = std::find_if(patterns.begin(), patterns.end(),
	                                [&](const auto &pattern) { return matches(pattern, name); });
	return found == patterns.end() ? nullptr : &*found;
}

/// The name of the current hwrng if it is the same hardware as `source`, or an empty text.
std::string same_hardware(const SourceInfo &source, const Inventory &inventory)
{
	if (!inventory.hwrng || inventory.hwrng->current.empty())
		return "";
	const auto &current = inventory.hwrng->current;
	if (source.kind == SourceKind::cpu)
		return current == "cpu_rng." + source.name ? current : "";
	for (const auto &tpm : inventory.tpms)
		if (source.kind == SourceKind::tpm2 && "tpmrm" + tpm.name.substr(3) == source.name &&
		    tpm.hwrng == current)
			return current;
	return "";
}

SourceDecision decide_source(const SourceInfo &source, const Inventory &inventory,
                             const Config &config)
{
	SourceDecision decision{source, Use::ignore, ""};
	const auto ignore = [&](std::string why) {
		decision.reason = std::move(why);
		return decision;
	};
	if (const auto *pattern = first_match(config.deny, source.name))
		return ignore(fmt::format("denied by \"{}\" in `deny`", *pattern));
	if (!source.absent.empty())
		return ignore(source.absent);
	if (source.kind == SourceKind::hwrng && !source.current) {
		if (config.probe_interval.count() == 0)
			return ignore("not in use, and probes are off (probe_interval = 0)");
		if (const auto *why = no_probe(inventory.hwrng))
			return ignore(why);
		decision.use = Use::probe;
		decision.reason = "not in use; probed regularly";
		return decision;
	}
	if (const auto current = same_hardware(source, inventory); !current.empty())
		return ignore(fmt::format("the same hardware as {}, which is in use", current));
	decision.use = Use::read;
	decision.reason = reason(source);
	return decision;
}

/// Adds to the reason why the source earns no credit, if there is a special reason.
void explain_credit(SourceDecision &decision, const Config &config)
{
	const auto &source = decision.source;
	if (const auto why = why_uncredited(source, config.source(source.name));
	    decision.use != Use::ignore && !why.empty())
		decision.reason += fmt::format("; earns no credit: {}", why);
}

/// Ignores jitter if another source can be read and earns credit: jitter needs the most CPU time
/// and is trusted least.
void spare_jitter(Decision &decision, const Config &config,
                  const std::map<std::string, SourceState> &states)
{
	const auto serves = [&](const auto &other) {
		const auto state = states.find(other.source.name);
		return other.use == Use::read && other.source.kind != SourceKind::jitter &&
		       earns_credit(other.source, config.source(other.source.name)) &&
		       (state == states.end() || state->second != SourceState::quarantined);
	};
	const auto better = std::find_if(decision.sources.begin(), decision.sources.end(), serves);
	if (better == decision.sources.end())
		return;
	for (auto &decided : decision.sources) {
		if (decided.source.kind != SourceKind::jitter || decided.use != Use::read ||
		    first_match(config.prefer, decided.source.name) != nullptr)
			continue;
		decided.use = Use::ignore;
		decided.reason = fmt::format("not needed, because {} is read", better->source.name);
	}
}

/// May the daemon select this hwrng by itself? The kernel credits the current hwrng by its claim.
bool is_trusted(const SourceInfo &source, const Config &config)
{
	return why_uncredited(source, config.source(source.name)).empty() ||
	       first_match(config.prefer, source.name) != nullptr;
}

/// The hwrngs that may be current, best first.
std::vector<const SourceInfo *> rank_hwrngs(const Inventory &inventory, const Config &config,
                                            const std::map<std::string, SourceState> &states)
{
	std::vector<const SourceInfo *> ranked;
	for (const auto &source : inventory.sources) {
		const auto state = states.find(source.name);
		if (source.kind == SourceKind::hwrng && first_match(config.deny, source.name) == nullptr &&
		    (state == states.end() || state->second != SourceState::quarantined))
			ranked.push_back(&source);
	}
	const auto key = [&](const SourceInfo *source) {
		const auto *pattern = first_match(config.prefer, source->name);
		const auto position = pattern == nullptr ? static_cast<ptrdiff_t>(config.prefer.size())
		                                         : pattern - config.prefer.data();
		return std::tuple(position, !is_trusted(*source, config),
		                  full_quality - std::min(source->claim, full_quality), !source->current,
		                  std::string_view(source->name));
	};
	std::sort(ranked.begin(), ranked.end(),
	          [&](const auto *a, const auto *b) { return key(a) < key(b); });
	return ranked;
}

/// Why another hwrng than `current` is selected, without a preference. `in_use`: its source, if it
/// may be selected.
std::string why_another(const std::string &current, const SourceInfo *in_use, const Config &config)
{
	if (current.empty())
		return "no hwrng is in use, and this one claims the most entropy";
	if (in_use == nullptr)
		return fmt::format(
		    "{} is denied or quarantined; of the others, this one claims the most entropy",
		    current);
	if (!is_trusted(*in_use, config))
		return fmt::format(
		    "{} earns no credit ({}); of the others, this one claims the most entropy", current,
		    in_use->distrust);
	return "it claims the most entropy of all hwrngs";
}

void decide_current(Decision &decision, const Inventory &inventory, const Config &config,
                    const std::map<std::string, SourceState> &states,
                    const std::optional<std::string> &chosen)
{
	if (!inventory.hwrng) {
		decision.reason = "this kernel has no hwrng framework";
		return;
	}
	const auto &state = *inventory.hwrng;
	if (config.rng_current == Hold::leave) {
		decision.reason = "rng_current = \"leave\"";
		return;
	}
	if (config.rng_current == Hold::prefer && state.selected && chosen != state.current) {
		decision.reason = state.current.empty()
		                      ? "an administrator switched the hwrng off (rng_current is none)"
		                      : fmt::format("an administrator selected {}", state.current);
		return;
	}
	const auto ranked = rank_hwrngs(inventory, config, states);
	if (ranked.empty()) {
		decision.reason =
		    state.available.empty() ? "there is no hwrng" : "all hwrngs are denied or quarantined";
		return;
	}
	const auto &best = *ranked.front();
	const auto *preferred = first_match(config.prefer, best.name);
	if (best.current) {
		decision.reason = fmt::format("{} is in use, and ranks first", best.name);
		return;
	}
	if (!is_trusted(best, config)) {
		decision.reason = fmt::format("no hwrng earns credit: {}", best.distrust);
		return;
	}
	const auto current = std::find_if(ranked.begin(), ranked.end(),
	                                  [](const auto *source) { return source->current; });
	const auto *in_use = current == ranked.end() ? nullptr : *current;
	// Without a preference the kernel's own choice, by quality, is good enough.
	if (preferred == nullptr && !state.selected && in_use != nullptr &&
	    is_trusted(*in_use, config)) {
		decision.reason = fmt::format("the kernel chose {}", state.current);
		return;
	}
	if (auto danger = switching_danger(state, best.name)) {
		decision.reason = std::move(*danger);
		return;
	}
	decision.select = best.name;
	decision.reason = preferred != nullptr
	                      ? fmt::format("it matches \"{}\" in `prefer`", *preferred)
	                      : why_another(state.current, in_use, config);
}

} // namespace

const char *name(Use use)
{
	switch (use) {
	case Use::read:
		return "read";
	case Use::probe:
		return "probe";
	case Use::ignore:
		return "ignore";
	}
	return "?";
}

Decision decide(const Inventory &inventory, const Config &config,
                const std::map<std::string, SourceState> &states,
                const std::optional<std::string> &chosen)
{
	Decision decision;
	for (const auto &source : inventory.sources) {
		decision.sources.push_back(decide_source(source, inventory, config));
		explain_credit(decision.sources.back(), config);
	}
	spare_jitter(decision, config, states);
	decide_current(decision, inventory, config, states, chosen);
	return decision;
}

Result<std::vector<Candidate>> rank(const Inventory &inventory,
                                    const std::optional<std::string> &wanted, const Config &config)
{
	std::vector<Candidate> candidates;
	for (const auto &source : inventory.sources) {
		if (wanted) {
			if (source.name != *wanted)
				continue;
			if (!source.absent.empty())
				return fail(ExitCode::no_source, fmt::format("{} {}{}", source.name, source.absent,
				                                             source.kind == SourceKind::generator
				                                                 ? "; it is read once it exists"
				                                                 : ""));
			candidates.push_back({source, "selected by name"});
			continue;
		}
		if (!source.absent.empty())
			continue;
		if (source.kind == SourceKind::hwrng && !source.current &&
		    no_probe(inventory.hwrng) != nullptr)
			continue;
		candidates.push_back({source, reason(source)});
	}
	if (wanted && candidates.empty())
		return fail(ExitCode::no_source,
		            fmt::format("\"{}\" is not a source of this machine. Its sources are: {}",
		                        *wanted, inventory.sources.empty() ? "none" : names(inventory)));
	if (candidates.empty())
		return fail(ExitCode::no_source,
		            "this machine has no usable source of randomness: no hwrng, no TPM 2.0, no CPU "
		            "instruction. See `hwrngctl status`. If this is a virtual machine, give it a "
		            "virtio-rng device");
	const auto key = [&](const Candidate &candidate) {
		const auto &source = candidate.source;
		const bool distrusted = !why_uncredited(source, config.source(source.name)).empty();
		return std::tuple(source.claim == 0 || distrusted, order(source),
		                  full_quality - std::min(source.claim, full_quality),
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
	return fmt::format(
	    "this kernel can hang forever if the hwrng is switched from {} to {} (in its "
	    "hwrng thread, if the driver states no quality)",
	    state.current, name);
}

} // namespace hwrngd
