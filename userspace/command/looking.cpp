// SPDX-License-Identifier: GPL-2.0-or-later
// The options of the commands that look at the machine, its sources and the daemon.
#include "command/command_line.h"

#include <cmath>

namespace hwrngd {

std::string no_number(const std::string &text)
{
	double number = 0;
	const bool is = CLI::detail::lexical_cast(text, number) && !std::isnan(number);
	return is ? "" : text + " is no number";
}

void add_status(CLI::App &app, Run &run)
{
	auto &status =
	    *app.add_subcommand("status", "Show the kernel, its pool, sources, modules and feeders");
	status.callback([&run] { run = status_command; });
	status.footer(examples("hwrngctl status --output=json | jq -r .daemon.feeds"));
}

void add_list(CLI::App &app, Run &run)
{
	auto &list = *app.add_subcommand("list", "List every source of randomness of this machine");
	list.callback([&run] { run = list_command; });
	list.footer(examples("hwrngctl list --output=json | jq -r '.sources[].name'"));
}

void add_top(CLI::App &app, Run &run)
{
	constexpr uint64_t most_looks = 1'000'000'000;
	const auto options = std::make_shared<TopOptions>();
	auto &top = *app.add_subcommand("top", "Watch what the sources do, as it happens");
	top.add_option("-d,--delay", options->delay, "Seconds between looks")
	    ->check(no_number)
	    ->check(CLI::Range(least_top_delay, most_top_delay))
	    ->default_str("1");
	top.add_option("-n,--count", options->count, "End after so many looks; default: by q or Ctrl-C")
	    ->check(CLI::Range(uint64_t{1}, most_looks));
	top.add_flag("-b,--batch", options->batch,
	             "Print one look after the other, for a file or a pipe");
	on_call(top, run, options, top_command);
	top.footer(examples("hwrngctl top --delay 5\n  "
	                    "hwrngctl top --batch --count 2 >FILE    for a report"));
}

void add_doctor(CLI::App &app, Run &run)
{
	const auto all = std::make_shared<bool>(false);
	auto &doctor =
	    *app.add_subcommand("doctor", "Find out what is wrong here, and what to do about it");
	doctor.add_flag("-a,--all", *all, "Also what is often taken for a fault, and is none");
	on_call(doctor, run, all, doctor_command);
	doctor.footer(examples("hwrngctl doctor --all\n  "
	                       "hwrngctl doctor --output=json | jq -r '.findings[].id'"));
}

void add_metrics(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<MetricsOptions>();
	auto &metrics = *app.add_subcommand("metrics", "Show what the daemon does, for Prometheus");
	auto *textfile =
	    metrics
	        .add_option("--textfile", options->textfile,
	                    "Write them to this file (*.prom), for node_exporter's textfile collector")
	        ->type_name("FILE");
	metrics
	    .add_option("--listen", options->listen,
	                "Serve them by HTTP at this HOST:PORT, below /metrics, until an interrupt")
	    ->type_name("HOST:PORT")
	    ->excludes(textfile);
	on_call(metrics, run, options, metrics_command);
	metrics.footer(examples("hwrngctl metrics --listen 127.0.0.1:9817"));
}

void add_policy(CLI::App &app, Run &run)
{
	const auto explain = std::make_shared<bool>(false);
	auto &policy = *app.add_subcommand("policy", "Show what the daemon does with each source");
	policy.add_flag("--explain", *explain, "And why");
	on_call(policy, run, explain, policy_command);
	policy.footer(examples("hwrngctl policy --explain"));
}

} // namespace hwrngd
