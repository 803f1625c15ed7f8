// SPDX-License-Identifier: GPL-2.0-or-later
// `doctor`: what is wrong with this machine's randomness, the evidence for it, and what to do.
#include "base/json_object.h"
#include "command/command.h"
#include "command/output.h"
#include "doctor/diagnosis.h"
#include "status/ask.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using Json = nlohmann::ordered_json;

/// `sequence` if standard output is a terminal with colours (no-color.org), else an empty string.
const char *colour(const char *sequence)
{
	const auto variable = [](const char *key) -> std::string_view {
		const char *value = std::getenv(key); // NOLINT(concurrency-mt-unsafe): it is never changed
		return value == nullptr ? "" : value;
	};
	const bool plain =
	    isatty(STDOUT_FILENO) == 0 || !variable("NO_COLOR").empty() || variable("TERM") == "dumb";
	return plain ? "" : sequence;
}

const char *colour_of(Severity severity)
{
	switch (severity) {
	case Severity::problem:
		return colour("\033[1;31m");
	case Severity::warning:
		return colour("\033[1;33m");
	case Severity::note:
		break;
	}
	return colour("\033[1m");
}

void print_finding(const Finding &finding)
{
	fmt::print("{}{}{}  {} ({})  [{}]\n", colour_of(finding.severity), name(finding.severity),
	           colour("\033[0m"), for_terminal(finding.text), name(finding.certainty), finding.id);
	for (const auto &evidence : finding.evidence)
		fmt::print("  seen  {}: {}\n", for_terminal(evidence.where), for_terminal(evidence.value));
	// A command has a line of its own, so that it can be copied.
	for (const auto &step : finding.remedy)
		if (step.command.empty())
			fmt::print("  do    {}\n", for_terminal(step.what));
		else
			fmt::print("  do    {}:\n            {}\n", for_terminal(step.what),
			           for_terminal(step.command));
	fmt::print("\n");
}

Json to_json(const Finding &finding)
{
	Json evidence = Json::array();
	for (const auto &seen : finding.evidence)
		evidence.push_back(json_object({{"where", seen.where}, {"value", seen.value}}));
	Json remedy = Json::array();
	for (const auto &step : finding.remedy)
		remedy.push_back(
		    json_object({{"what", step.what},
		                 {"command", step.command.empty() ? Json(nullptr) : Json(step.command)}}));
	return json_object({{"id", finding.id},
	                    {"severity", name(finding.severity)},
	                    {"certainty", name(finding.certainty)},
	                    {"finding", finding.text},
	                    {"evidence", evidence},
	                    {"remedy", remedy}});
}

std::string judgement(size_t to_do, bool in_need, const Inventory &inventory,
                      const Environment &around, const Facts &facts)
{
	if (facts.container)
		return "hwrngd is not needed here.";
	if (to_do > 0)
		return fmt::format("{} to do{}.",
		                   to_do == 1 ? "One thing" : fmt::format("{} things", to_do),
		                   in_need ? "" : ", but it is not urgent: the CRNG is ready");
	// Without a current hwrng there would be a finding.
	const auto current = inventory.hwrng ? inventory.hwrng->current : "";
	if (facts.hwrngd_runs)
		return fmt::format("Nothing needs doing: the CRNG is ready, the kernel uses {}, and hwrngd "
		                   "tests the sources and feeds the pool.",
		                   current);
	// Before Linux 6.1, the kernel's thread does not run if the driver states no quality.
	if (around.sees_all_processes && !around.feeds("hwrng"))
		return fmt::format("Nothing needs doing: the CRNG is ready. The kernel has {} but does not "
		                   "read it by itself; hwrngd would do that.",
		                   current);
	return fmt::format("Nothing needs doing: the CRNG is ready, and the kernel uses {} by itself. "
	                   "hwrngd is not needed; it would only add tests of that source's output.",
	                   current);
}

/// Adds the facts that the daemon reports about its sources.
void collect_facts(const Context &context, const Environment &around, Facts &facts)
{
	const auto daemon = ask_daemon(context.root);
	if (!daemon) {
		facts.not_seen.push_back(daemon.error().message);
		// A daemon that does not answer is running nevertheless.
		facts.hwrngd_runs = true;
		return;
	}
	// A daemon whose socket is switched off does not answer either.
	const auto &status = *daemon;
	facts.hwrngd_runs = status.has_value() || around.feeds("hwrngd");
	for (const auto &source : status ? status->sources : std::vector<SourceStatus>()) {
		if (source.state == "healthy" && source.fips_failures > 0)
			facts.fips_failures.push_back(
			    {source.name,
			     fmt::format("{} of {} blocks", source.fips_failures, source.fips_blocks)});
		if (!source.used() || source.state != "quarantined")
			continue;
		const auto why = source.why();
		facts.quarantined_sources.push_back({source.name, why.empty() ? "quarantined" : why});
	}
}

} // namespace

Result<ExitCode> doctor_command(const Context &context, bool all)
{
	const auto config = read_config(context.root);
	if (!config)
		return std::unexpected(config.error());
	const auto inventory = take_inventory(context.root, *config);
	const auto around = inspect_environment(context.root, inventory);
	auto facts = find_facts(context.root, inventory, around, *config);
	collect_facts(context, around, facts);
	auto findings = diagnose(inventory, around, facts);
	const auto is_note = [](const Finding &finding) { return finding.severity == Severity::note; };
	if (!all && !facts.container)
		std::erase_if(findings, is_note);
	const auto to_do = static_cast<size_t>(
	    std::ranges::count_if(findings, [&](const auto &finding) { return !is_note(finding); }));
	const bool in_need =
	    std::ranges::find(findings, Severity::problem, &Finding::severity) != findings.end();
	const auto words = judgement(to_do, in_need, inventory, around, facts);
	if (context.json) {
		Json list = Json::array();
		for (const auto &finding : findings)
			list.push_back(to_json(finding));
		print_json(json_object({{"kernel", inventory.kernel},
		                        {"hypervisor", facts.hypervisor},
		                        {"to_do", to_do},
		                        {"findings", list},
		                        {"not_seen", facts.not_seen},
		                        {"judgement", words}}));
	} else {
		for (const auto &finding : findings)
			print_finding(finding);
		if (!facts.not_seen.empty())
			fmt::print("Not checked: {}.\n",
			           for_terminal(fmt::format("{}", fmt::join(facts.not_seen, "; "))));
		fmt::print("{}\n", for_terminal(words));
	}
	return to_do == 0 ? ExitCode::done : ExitCode::check_failed;
}

} // namespace hwrngd
