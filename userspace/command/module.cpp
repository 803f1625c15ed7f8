// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json_object.h"
#include "command/command.h"
#include "command/output.h"
#include "control/inventory.h"
#include "kernel/kernel_module.h"

#include <algorithm>
#include <vector>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using Json = nlohmann::ordered_json;

/// The result for one module.
struct Outcome {
	std::string module;
	std::string action; ///< "loaded", "already loaded", "not needed", "unloaded", "not loaded"
	std::string detail;
	std::optional<Error> error;
};

std::vector<std::string> modules_of(const std::string &which)
{
	std::vector<std::string> names;
	for (const char *name : {"tpm", "cpu"})
		if (which == "all" || which == name)
			names.push_back(std::string(name) + "_rng");
	return names;
}

std::vector<std::string> available_rngs(const Root &root)
{
	const auto state = HwrngSysfs(root).read();
	return state ? state->available : std::vector<std::string>{};
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

/// The TPMs that the kernel itself serves as hwrngs; nothing unless it serves all of them.
std::optional<std::string> served_by_kernel(const Inventory &inventory)
{
	std::vector<std::string> served;
	for (const auto &tpm : inventory.tpms) {
		if (!tpm.hwrng || !tpm.hwrng->starts_with("tpm-rng-"))
			return std::nullopt;
		served.push_back(fmt::format("{} as {}", tpm.name, *tpm.hwrng));
	}
	if (served.empty())
		return std::nullopt;
	return fmt::format("the kernel already serves {}", fmt::join(served, ", "));
}

Outcome load_one(const Context &context, const KernelModules &modules, const Inventory &inventory,
                 const std::string &name)
{
	if (modules.inspect(name).loaded)
		return {name, "already loaded", "", std::nullopt};
	if (name == "tpm_rng") {
		if (const auto served = served_by_kernel(inventory))
			return {name, "not needed", *served, std::nullopt};
		if (inventory.tpms.empty())
			return {
			    name, "not loaded", "",
			    Error{ExitCode::no_source,
			          "module tpm_rng was not loaded: this machine has no TPM (switch one on in "
			          "the firmware's set-up, or add one to the virtual machine)"}};
	}
	const auto before = available_rngs(context.root);
	if (auto loaded = modules.load(name); !loaded)
		return {name, "not loaded", "", loaded.error()};
	const auto registered = added_names(before, available_rngs(context.root));
	return {name, "loaded",
	        registered.empty() ? "it registered no hwrng (see dmesg)"
	                           : fmt::format("new hwrng: {}", fmt::join(registered, ", ")),
	        std::nullopt};
}

Outcome unload_one(const KernelModules &modules, const std::string &name)
{
	if (!modules.inspect(name).loaded)
		return {name, "not loaded", "nothing to do", std::nullopt};
	if (auto unloaded = modules.unload(name); !unloaded)
		return {name, "still loaded", "", unloaded.error()};
	return {name, "unloaded", "", std::nullopt};
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
			list.push_back(
			    json_object({{"name", outcome.module},
			                 {"action", outcome.action},
			                 {"detail", outcome.error ? outcome.error->message : outcome.detail}}));
		print_json(
		    json_object({{"modules", list},
		                 {"rng_current", current},
		                 {"rng_available", state ? Json(state->available) : Json(nullptr)}}));
		return code;
	}
	for (const auto &outcome : outcomes) {
		const auto &detail = outcome.error ? outcome.error->message : outcome.detail;
		fmt::print("{}: {}{}{}\n", outcome.module, outcome.action, detail.empty() ? "" : ": ",
		           detail);
	}
	if (!current.empty())
		fmt::print("rng_current is {}\n", current);
	return code;
}

/// Calls `one` for each module that `which` names.
template <typename One>
Result<ExitCode> for_modules(const Context &context, const std::string &which, One one)
{
	const auto inventory = take_inventory(context.root, Config());
	const auto modules = KernelModules::open(context.root, inventory.kernel);
	if (!modules)
		return std::unexpected(modules.error());
	std::vector<Outcome> outcomes;
	for (const auto &name : modules_of(which))
		outcomes.push_back(one(*modules, inventory, name));
	return report(context, outcomes);
}

} // namespace

Result<ExitCode> load_command(const Context &context, const std::string &which)
{
	return for_modules(context, which,
	                   [&](const auto &modules, const auto &inventory, const auto &name) {
		                   return load_one(context, modules, inventory, name);
	                   });
}

Result<ExitCode> unload_command(const Context &context, const std::string &which)
{
	return for_modules(context, which, [](const auto &modules, const auto &, const auto &name) {
		return unload_one(modules, name);
	});
}

} // namespace hwrngd
