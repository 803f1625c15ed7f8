// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/command.h"
#include "control/hwrng_sysfs.h"
#include "control/policy.h"

#include <nlohmann/json.hpp>

namespace hwrngd {

Result<ExitCode> select_command(const Context &context, const std::string &name, bool force)
{
	const HwrngSysfs sysfs(context.root);
	if (const auto state = sysfs.read(); !state)
		return std::unexpected(state.error());
	// A visit that is under way would put back what was before it.
	const auto lock = sysfs.lock(std::chrono::seconds(60));
	if (!lock)
		return std::unexpected(lock.error());
	const auto before = sysfs.read();
	if (!before)
		return std::unexpected(before.error());
	if (const auto danger = switching_danger(*before, name);
	    danger && before->offers(name) && !force)
		return fail(ExitCode::not_permitted,
		            fmt::format("{}; --force does it all the same", *danger));
	const auto done = name == "auto" ? sysfs.select_automatically() : sysfs.select(name);
	if (!done)
		return std::unexpected(done.error());
	const auto after = sysfs.read();
	if (!after)
		return std::unexpected(after.error());
	const std::string current = after->current.empty() ? "none" : after->current;
	if (context.json)
		print_json({{"rng_current", current}, {"selected", after->selected}});
	else if (name == "auto")
		fmt::print("The kernel chooses: rng_current is {}\n", current);
	else
		fmt::print("rng_current is {} (until the next boot)\n", current);
	return ExitCode::done;
}

} // namespace hwrngd
