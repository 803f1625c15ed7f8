// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/interrupt.h"
#include "base/json_object.h"
#include "base/write_file.h"
#include "command/command.h"
#include "command/output.h"
#include "control/credit.h"
#include "control/modules.h"
#include "kernel/kernel_module.h"
#include "kernel/module_sources.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

// A start-up test takes 32 commands of a TPM. Most TPMs need less than 100 ms for one.
constexpr auto test_limit = 10s;

/// The result for one module.
struct Outcome {
	std::string module;
	std::string action; ///< "loaded", "already loaded", "not needed", "unloaded", "not loaded"
	std::vector<std::string> details = {};
	std::optional<Error> error = {};
	std::vector<ModuleSource> pending = {}; ///< its sources that are not hwrngs
};

/// What load_one() and unload_one() know.
struct Machine {
	const Context &context;
	const Config &config;
	const Inventory &inventory;
	const KernelModules &modules;
	const ModuleOptions &options;
};

std::vector<std::string> modules_of(const std::string &which)
{
	std::vector<std::string> names;
	for (const char *name : {"tpm", "cpu"})
		if (which == "all" || which == name)
			names.push_back(std::string(name) + "_rng");
	return names;
}

/// The argument of the commands that stands for a module.
std::string which_is(const std::string &module)
{
	return module.substr(0, module.find('_'));
}

std::vector<std::string> available_rngs(const Root &root)
{
	const auto state = HwrngSysfs(root).read();
	return state ? state->available : std::vector<std::string>{};
}

/// The module's sources that the framework does not list.
std::vector<ModuleSource> unregistered(const Root &root, const std::string &module)
{
	const auto available = available_rngs(root);
	auto sources = module_sources(root, module);
	std::erase_if(sources, [&](const ModuleSource &source) {
		return std::ranges::find(available, source.name) != available.end();
	});
	return sources;
}

/// Waits until the module has tested its sources, but not for long. Returns those that are not
/// registered then.
std::vector<ModuleSource> wait_for_sources(const Root &root, const std::string &module)
{
	const auto until = std::chrono::steady_clock::now() + test_limit;
	for (;;) {
		auto pending = unregistered(root, module);
		if (std::ranges::none_of(pending, &ModuleSource::is_tested) || interrupted() != 0 ||
		    std::chrono::steady_clock::now() >= until)
			return pending;
		std::this_thread::sleep_for(20ms);
	}
}

/// The names that are in `after` but not in `before`.
std::vector<std::string> added_names(const std::vector<std::string> &before,
                                     const std::vector<std::string> &after)
{
	std::vector<std::string> names;
	for (const auto &name : after)
		if (std::find(before.begin(), before.end(), name) == before.end())
			names.push_back(name);
	return names;
}

/// The file by which systemd loads the module at every boot: modules-load.d(5).
std::string boot_file(const std::string &module)
{
	return fmt::format("/etc/modules-load.d/hwrngd-{}.conf", module);
}

/// Makes systemd load the module at every boot, or adds the error to the outcome.
void keep_loaded(const Machine &machine, Outcome &outcome)
{
	const auto path = machine.context.root.at(boot_file(outcome.module));
	const auto which = which_is(outcome.module);
	std::error_code error;
	std::filesystem::create_directories(path.parent_path(), error);
	const auto text =
	    fmt::format("# Written by `hwrngctl load {0} --persist`; `hwrngctl unload {0} "
	                "--persist` removes it.\n{1}\n",
	                which, outcome.module);
	if (auto written = write_file(path, text); written)
		outcome.details.push_back(fmt::format("{} loads it at every boot", path.string()));
	else
		outcome.error = written.error();
}

/// What an administrator should know about a loaded cpu_rng: it may not be credited.
std::optional<std::string> caution_about(const std::string &module, const Machine &machine)
{
	const auto why = module == "cpu_rng" && !machine.inventory.cpu_instructions.empty()
	                     ? why_not_cpu_rng(machine.inventory, machine.config)
	                     : "";
	if (why.empty())
		return std::nullopt;
	return fmt::format("hwrngd does not credit it: {}; to credit it, set `credit` in "
	                   "[source.\"cpu_rng.*\"] of /etc/hwrngd.conf",
	                   why);
}

/// Explains why a module found nothing to serve.
void explain_no_device(const std::string &module, const Machine &machine, Error &error)
{
	if (error.number != ENODEV)
		return;
	if (module == "tpm_rng" && !machine.inventory.tpms.empty())
		error.message =
		    "module tpm_rng was not loaded: it found no TPM that it may serve (`dmesg | "
		    "grep tpm_rng` says why)";
	else if (const auto why = why_not_cpu_rng(machine.inventory, machine.config);
	         module == "cpu_rng" && machine.inventory.cpu_instructions.empty())
		error.message += "; " + why;
}

/// Loads the module, unless there is a reason not to.
Outcome load_module(const Machine &machine, const std::string &name)
{
	Outcome outcome{.module = name, .action = "already loaded"};
	if (machine.modules.inspect(name).loaded)
		return outcome;
	outcome.action = "not loaded";
	if (name == "tpm_rng" && machine.inventory.tpms.empty())
		outcome.error =
		    Error{ExitCode::no_source,
		          "module tpm_rng was not loaded: this machine has no TPM (switch one on in the "
		          "firmware's set-up, or add one to the virtual machine)"};
	else if (const auto why = why_not_tpm_rng(machine.inventory); name == "tpm_rng" && !why.empty())
		outcome = {.module = name, .action = "not needed", .details = {why}};
	else if (auto loaded = machine.modules.load(name); loaded)
		outcome.action = "loaded";
	else
		explain_no_device(name, machine, outcome.error.emplace(std::move(loaded.error())));
	return outcome;
}

Outcome load_one(const Machine &machine, const std::string &name)
{
	const auto &root = machine.context.root;
	const auto before = available_rngs(root);
	auto outcome = load_module(machine, name);
	if (outcome.error || outcome.action == "not needed")
		return outcome;
	outcome.pending =
	    machine.options.no_wait ? unregistered(root, name) : wait_for_sources(root, name);
	const auto added = added_names(before, available_rngs(root));
	if (!added.empty())
		outcome.details.push_back(fmt::format("new hwrng: {}", fmt::join(added, ", ")));
	else if (outcome.pending.empty() && outcome.action == "loaded")
		outcome.details.emplace_back("it registered no hwrng (see dmesg)");
	for (const auto &source : outcome.pending)
		outcome.details.push_back(why_unregistered(source));
	if (const auto caution = caution_about(name, machine))
		outcome.details.push_back(*caution);
	if (machine.options.persist)
		keep_loaded(machine, outcome);
	return outcome;
}

Outcome unload_one(const Machine &machine, const std::string &name)
{
	Outcome outcome{.module = name, .action = "unloaded"};
	if (!machine.modules.inspect(name).loaded)
		outcome = {.module = name, .action = "not loaded", .details = {"nothing to do"}};
	else if (auto unloaded = machine.modules.unload(name); !unloaded)
		return {.module = name, .action = "still loaded", .error = unloaded.error()};
	if (!machine.options.persist)
		return outcome;
	const auto file = boot_file(name);
	const auto path = machine.context.root.at(file);
	if (!machine.context.root.exists(file))
		outcome.details.push_back(fmt::format("there is no {}", path.string()));
	else if (auto removed = remove_file(path); removed)
		outcome.details.push_back(fmt::format("removed {}", path.string()));
	else
		outcome.error = removed.error();
	return outcome;
}

std::string text_of(const Outcome &outcome)
{
	return outcome.error ? outcome.error->message
	                     : fmt::format("{}", fmt::join(outcome.details, "; "));
}

Json to_json(const Outcome &outcome)
{
	Json pending = Json::array();
	for (const auto &[name, state, file] : outcome.pending)
		pending.push_back(json_object({{"name", name}, {"state", state}, {"file", file}}));
	return json_object({{"name", outcome.module},
	                    {"action", outcome.action},
	                    {"detail", text_of(outcome)},
	                    {"pending", pending}});
}

/// Prints the results. Missing hardware is an error only if all modules failed: a machine may have
/// only one of the two kinds.
Result<ExitCode> report(const Context &context, const std::vector<Outcome> &outcomes)
{
	const auto state = HwrngSysfs(context.root).read();
	std::string current;
	if (state)
		current = state->current.empty() ? "none" : state->current;
	std::vector<Error> errors;
	auto code = ExitCode::done;
	for (const auto &outcome : outcomes) {
		if (!outcome.error)
			continue;
		errors.push_back(*outcome.error);
		if (outcome.error->code != ExitCode::no_source)
			code = outcome.error->code;
	}
	if (errors.size() == outcomes.size()) {
		const auto worst = std::find_if(errors.begin(), errors.end(), [](const Error &error) {
			return error.code != ExitCode::no_source;
		});
		return std::unexpected(worst != errors.end() ? *worst : errors.back());
	}
	if (context.json) {
		Json list = Json::array();
		for (const auto &outcome : outcomes)
			list.push_back(to_json(outcome));
		print_json(
		    json_object({{"modules", list},
		                 {"rng_current", current},
		                 {"rng_available", state ? Json(state->available) : Json(nullptr)}}));
		return code;
	}
	for (const auto &outcome : outcomes) {
		const auto detail = text_of(outcome);
		fmt::print("{}: {}{}{}\n", outcome.module, outcome.action, detail.empty() ? "" : ": ",
		           detail);
	}
	if (!current.empty())
		fmt::print("rng_current is {}\n", current);
	return code;
}

/// Calls `one` for each module that the options name.
Result<ExitCode> for_modules(const Context &context, const ModuleOptions &options,
                             Outcome (*one)(const Machine &, const std::string &))
{
	// A bad configuration must not keep an administrator from loading a module.
	const auto config = read_config(context.root).value_or(Config());
	const auto inventory = take_inventory(context.root, config);
	const auto modules = KernelModules::open(context.root, inventory.kernel);
	if (!modules)
		return std::unexpected(modules.error());
	const Machine machine{.context = context,
	                      .config = config,
	                      .inventory = inventory,
	                      .modules = *modules,
	                      .options = options};
	std::vector<Outcome> outcomes;
	for (const auto &name : modules_of(options.which))
		outcomes.push_back(one(machine, name));
	return report(context, outcomes);
}

} // namespace

Result<ExitCode> load_command(const Context &context, const ModuleOptions &options)
{
	return for_modules(context, options, load_one);
}

Result<ExitCode> unload_command(const Context &context, const ModuleOptions &options)
{
	return for_modules(context, options, unload_one);
}

} // namespace hwrngd
