// SPDX-License-Identifier: GPL-2.0-or-later
// The options of the commands that change the kernel's modules and hwrng.
#include "command/command_line.h"

namespace hwrngd {

namespace {

/// `load` or `unload`.
CLI::App &add_module_command(CLI::App &app, Run &run, const char *name, const char *what,
                             Result<ExitCode> (*command)(const Context &, const std::string &))
{
	const auto which = std::make_shared<std::string>("all");
	auto &sub = *app.add_subcommand(name, what);
	sub.add_option("MODULE", *which, "tpm (tpm_rng), cpu (cpu_rng) or all of them")
	    ->check(CLI::IsMember({"tpm", "cpu", "all"}))
	    ->default_str("all");
	on_call(sub, run, which, command);
	return sub;
}

} // namespace

void add_select(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<SelectOptions>();
	auto &select = *app.add_subcommand("select", "Select the hwrng that the kernel uses");
	select
	    .add_option("HWRNG", options->name,
	                "A name from rng_available, `auto` (let the kernel choose) or `none`")
	    ->required();
	select.add_flag("--force", options->force,
	                "Switch even on a kernel (5.10) that can hang during the switch");
	select.add_flag(
	    "--persist", options->persist,
	    "Keep this choice at every boot, even if another program selects another hwrng (the "
	    "daemon enforces it); `auto --persist` ends this");
	on_call(select, run, options, select_command);
	select.footer(examples("hwrngctl select tpm_rng.0 --persist     keep it at every boot\n  "
	                       "hwrngctl select auto"));
}

void add_load(CLI::App &app, Run &run)
{
	add_module_command(app, run, "load",
	                   "Load the kernel modules that turn TPM and CPU into hwrngs", load_command)
	    .footer(examples("hwrngctl load tpm"));
}

void add_unload(CLI::App &app, Run &run)
{
	add_module_command(app, run, "unload", "Unload these modules", unload_command)
	    .footer(examples("hwrngctl unload all"));
}

} // namespace hwrngd
