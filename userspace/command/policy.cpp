// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/policy.h"
#include "base/json_object.h"
#include "command/command.h"
#include "command/output.h"
#include "control/config.h"
#include "status/ask.h"

#include <array>

#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using enum SourceState;

/// The states of the sources that the daemon reports.
std::map<std::string, SourceState> states_of(const DaemonStatus &daemon)
{
	std::map<std::string, SourceState> states;
	for (const auto &source : daemon.sources)
		for (const auto state : {absent, starting, healthy, suspect, quarantined})
			if (source.state == name(state))
				states[source.name] = state;
	return states;
}

void print_text(const Decision &decision, bool explain)
{
	fmt::print("{:<18} {:<8} {}\n", "SOURCE", "USE", explain ? "WHY" : "");
	for (const auto &source : decision.sources)
		fmt::print("{:<18} {:<8} {}\n", for_terminal(source.source.name), name(source.use),
		           for_terminal(explain ? source.reason : ""));
	fmt::print("\nrng_current: {}{}\n",
	           decision.select ? for_terminal("select " + *decision.select) : "nothing to change",
	           for_terminal(explain ? ": " + decision.reason : ""));
}

} // namespace

Result<ExitCode> policy_command(const Context &context, bool explain)
{
	const auto config = read_config(context.root);
	if (!config)
		return std::unexpected(config.error());
	const auto daemon = ask_daemon(context.root);
	if (!daemon)
		return std::unexpected(daemon.error());
	std::map<std::string, SourceState> states;
	std::optional<std::string> chosen;
	if (const auto &status = *daemon) {
		states = states_of(*status);
		chosen = status->rng_chosen;
	}
	const auto decision = decide(take_inventory(context.root, *config), *config, states, chosen);
	if (!context.json) {
		print_text(decision, explain);
		return ExitCode::done;
	}
	auto sources = nlohmann::ordered_json::array();
	for (const auto &source : decision.sources)
		sources.push_back(json_object(
		    {{"name", source.source.name}, {"use", name(source.use)}, {"reason", source.reason}}));
	print_json(json_object(
	    {{"sources", sources},
	     {"select", decision.select ? nlohmann::ordered_json(*decision.select) : nullptr},
	     {"reason", decision.reason},
	     {"daemon_running", daemon->has_value()}}));
	return ExitCode::done;
}

} // namespace hwrngd
