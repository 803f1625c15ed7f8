// SPDX-License-Identifier: GPL-2.0-or-later
// The options of the commands that change the kernel's modules and hwrng.
#include "command/command_line.h"

namespace hwrngd {

namespace {

/// `load` or `unload`. `persist`: the help text of --persist.
CLI::App &add_module_command(CLI::App &app, const std::shared_ptr<ModuleOptions> &options,
                             const char *name, const char *what, const char *persist)
{
	auto &sub = *app.add_subcommand(name, what);
	sub.add_option("MODULE", options->which, "tpm (tpm_rng), cpu (cpu_rng) or all of them")
	    ->check(CLI::IsMember({"tpm", "cpu", "all"}))
	    ->default_str("all");
	sub.add_flag("--persist", options->persist, persist);
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
	const auto options = std::make_shared<ModuleOptions>();
	auto &load = add_module_command(app, options, "load",
	                                "Load the kernel modules that turn TPM and CPU into hwrngs",
	                                "Also load them at every boot, by a file in "
	                                "/etc/modules-load.d");
	load.add_flag("--no-wait", options->no_wait,
	              "Do not wait up to 10 seconds until the modules have tested their sources");
	on_call(load, run, options, load_command);
	load.footer(examples("hwrngctl load tpm\n  "
	                     "hwrngctl load cpu --persist             load it at every boot"));
}

void add_unload(CLI::App &app, Run &run)
{
	const auto options = std::make_shared<ModuleOptions>();
	auto &unload = add_module_command(app, options, "unload", "Unload these modules",
	                                  "Also remove the file that loads them at every boot");
	on_call(unload, run, options, unload_command);
	unload.footer(examples("hwrngctl unload all"));
}

} // namespace hwrngd
