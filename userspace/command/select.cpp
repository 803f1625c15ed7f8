// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json_object.h"
#include "command/command.h"
#include "command/output.h"
#include "control/config.h"
#include "control/policy.h"
#include "kernel/hwrng_sysfs.h"
#include "status/ask.h"

#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

/// Makes the choice. Returns the state of the framework after that.
Result<HwrngState> choose(const Context &context, const SelectOptions &options)
{
	const auto &name = options.name;
	const HwrngSysfs sysfs(context.root);
	if (const auto state = sysfs.read(); !state)
		return std::unexpected(state.error());
	// A running probe would put back the choice that it found.
	const auto lock = sysfs.lock(std::chrono::seconds(60));
	if (!lock)
		return std::unexpected(lock.error());
	const auto before = sysfs.read();
	if (!before)
		return std::unexpected(before.error());
	if (const auto danger = switching_danger(*before, name);
	    danger && before->offers(name) && !options.force)
		return fail(ExitCode::not_permitted,
		            fmt::format("{}; use --force to select it anyway", *danger));
	const auto done = name == "auto" ? sysfs.select_automatically() : sysfs.select(name);
	if (!done)
		return std::unexpected(done.error());
	return sysfs.read();
}

/// Stores the choice for every boot, or removes it with `auto`. Returns how long it is valid, as
/// text.
Result<std::string> keep(const Context &context, const std::string &name)
{
	std::string what = "no choice was stored";
	if (name == "auto") {
		const auto removed = remove_selected(context.root);
		if (!removed)
			return std::unexpected(removed.error());
		if (*removed)
			what = "at every boot";
	} else {
		const auto path = write_selected(context.root, name);
		if (!path)
			return std::unexpected(path.error());
		what = fmt::format("at every boot, by {}", path->string());
	}
	const auto reloaded = reload_daemon(context.root);
	if (!reloaded)
		return std::unexpected(reloaded.error());
	if (!*reloaded && name != "auto")
		what += "; hwrngd, which does this, is not running: `systemctl enable --now hwrngd`";
	return what;
}

} // namespace

Result<ExitCode> select_command(const Context &context, const SelectOptions &options)
{
	const auto &name = options.name;
	if (options.persist && name == "none")
		return fail(ExitCode::usage, "`none` cannot be kept: unload the driver, or set "
		                             "`deny` and `rng_current` in hwrngd.conf(5)");
	const auto after = choose(context, options);
	if (!after)
		return std::unexpected(after.error());
	const std::string current = after->current.empty() ? "none" : after->current;
	std::string until = "until the next boot";
	if (options.persist) {
		auto kept = keep(context, name);
		if (!kept) {
			kept.error().message += fmt::format("; rng_current is {}, but only {}", current, until);
			return std::unexpected(kept.error());
		}
		until = std::move(*kept);
	}
	if (context.json)
		print_json(json_object({{"rng_current", current},
		                        {"selected", after->selected},
		                        {"persistent", options.persist}}));
	else if (name == "auto")
		fmt::print("The kernel chooses{}: rng_current is {}\n",
		           options.persist ? fmt::format(" ({})", until) : "", current);
	else
		fmt::print("rng_current is {} ({})\n", current, until);
	return ExitCode::done;
}

} // namespace hwrngd
