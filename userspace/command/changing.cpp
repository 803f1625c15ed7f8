// SPDX-License-Identifier: GPL-2.0-or-later
// The options of the commands that change what the kernel has and uses.
#include "command/command_line.h"

namespace hwrngd {

namespace {

/// `load` or `unload`.
CLI::App &add_module_command(CLI::App &app, Run &run, const char *name, const char *what,
                             Result<ExitCode> (*command)(const Context &, const std::string &))
{
	const auto which = std::make_shared<std::string>("all");
	auto &sub = *app.add_subcommand(name, what);
	sub.add_option("MODULE", *which, "tpm (tpm_rng), cpu (cpu_rng) or all")
	    ->check(CLI::IsMember({"tpm", "cpu", "all"}))
	    ->default_str("all");
	on_call(sub, run, which, command);
	return sub;
}

} // namespace

void add_select(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<SelectOptions>();
	auto &select = *app.add_subcommand("select", "Choose the hwrng that the kernel uses");
	select
	    .add_option("NAME", options->name,
	                "A name from rng_available, `auto` (the kernel chooses) or `none`")
	    ->type_name("HWRNG")
	    ->required();
	select.add_flag("--force", options->force, "Even where an old kernel can hang in the switch");
	select.add_flag("--persist", options->persist,
	                "At every boot, and whoever chooses another (the daemon sees to it); with "
	                "`auto`: no longer");
	on_call(select, run, options, select_command);
	select.footer(examples("hwrngctl select tpm_rng.0 --persist     at every boot, too\n  "
	                       "hwrngctl select auto"));
}

void add_load(CLI::App &app, Run &run)
{
	add_module_command(app, run, "load", "Load the kernel modules that make TPM and CPU a hwrng",
	                   load_command)
	    .footer(examples("hwrngctl load tpm"));
}

void add_unload(CLI::App &app, Run &run)
{
	add_module_command(app, run, "unload", "Unload them", unload_command)
	    .footer(examples("hwrngctl unload all"));
}

} // namespace hwrngd
