// SPDX-License-Identifier: GPL-2.0-or-later
// The options of the commands that show the machine, its sources and the daemon.
#include "command/command_line.h"

#include <cmath>

namespace hwrngd {

std::string check_number(const std::string &text)
{
	double number = 0;
	const bool is = CLI::detail::lexical_cast(text, number) && !std::isnan(number);
	return is ? "" : text + " is not a number";
}

void add_status(CLI::App &app, Run &run)
{
	auto &status = *app.add_subcommand(
	    "status", "Show the kernel, its pool, the sources, and what feeds the pool");
	status.callback([&run] { run = status_command; });
	status.footer(examples("hwrngctl status --output=json | jq -r .daemon.feeds"));
}

void add_list(CLI::App &app, Run &run)
{
	auto &list = *app.add_subcommand("list", "List all sources of randomness of this machine");
	list.callback([&run] { run = list_command; });
	list.footer(examples("hwrngctl list --output=json | jq -r '.sources[].name'"));
}

void add_top(CLI::App &app, Run &run)
{
	constexpr uint64_t most_updates = 1'000'000'000;
	const auto options = std::make_shared<TopOptions>();
	auto &top = *app.add_subcommand("top", "Watch the sources while they work");
	top.add_option("-d,--delay", options->delay, "Seconds between two updates, 0.1 to 3600")
	    ->type_name("SECONDS")
	    ->check(check_number)
	    ->check(in_range(least_top_delay, most_top_delay))
	    ->default_str("1");
	top.add_option("-n,--count", options->count,
	               "Exit after N updates; default: run until q or Ctrl-C")
	    ->type_name("N")
	    ->check(in_range(uint64_t{1}, most_updates));
	top.add_flag("-b,--batch", options->batch,
	             "Print one update after the other, for a file or a pipe");
	on_call(top, run, options, top_command);
	top.footer(examples("hwrngctl top --delay 5\n  "
	                    "hwrngctl top --batch --count 2 >FILE    for a report"));
}

void add_doctor(CLI::App &app, Run &run)
{
	const auto all = std::make_shared<bool>(false);
	auto &doctor = *app.add_subcommand(
	    "doctor", "Find out what is wrong with this machine's randomness, and what to do");
	doctor.add_flag("-a,--all", *all,
	                "Also print notes: things that are often mistaken for faults");
	on_call(doctor, run, all, doctor_command);
	doctor.footer(examples("hwrngctl doctor --all\n  "
	                       "hwrngctl doctor --output=json | jq -r '.findings[].id'"));
}

void add_metrics(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<MetricsOptions>();
	auto &metrics =
	    *app.add_subcommand("metrics", "Print what the daemon does, in the format of Prometheus");
	auto *textfile = metrics
	                     .add_option("--textfile", options->textfile,
	                                 "Write the metrics to this file (*.prom), for the textfile "
	                                 "collector of node_exporter; default: standard output")
	                     ->type_name("FILE");
	metrics
	    .add_option("--listen", options->listen,
	                "Serve the metrics by HTTP at http://HOST:PORT/metrics until interrupted")
	    ->type_name("HOST:PORT")
	    ->excludes(textfile);
	on_call(metrics, run, options, metrics_command);
	metrics.footer(examples("hwrngctl metrics --listen 127.0.0.1:9817"));
}

void add_policy(CLI::App &app, Run &run)
{
	const auto explain = std::make_shared<bool>(false);
	auto &policy = *app.add_subcommand("policy", "Show what the daemon does with each source");
	policy.add_flag("--explain", *explain, "Also print the reasons");
	on_call(policy, run, explain, policy_command);
	policy.footer(examples("hwrngctl policy --explain"));
}

} // namespace hwrngd
