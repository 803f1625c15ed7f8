// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/module_sources.h"

namespace hwrngd {

std::vector<ModuleSource> module_sources(const Root &root, std::string_view module)
{
	std::vector<ModuleSource> sources;
	const auto folder = fmt::format("/sys/module/{}", module);
	const auto prefix = fmt::format("{}.", module);
	for (const auto &name : root.list(folder)) {
		if (!name.starts_with(prefix))
			continue;
		const auto file = fmt::format("{}/{}/state", folder, name);
		if (const auto state = root.read_if_any(file))
			sources.push_back({.name = name, .state = *state, .file = file});
	}
	return sources;
}

std::string why_unregistered(const ModuleSource &source)
{
	const auto &[name, state, file] = source;
	if (source.is_tested())
		return fmt::format("{} is still being tested; see {}", name, file);
	if (state == "failed")
		return fmt::format("{} failed its test and is tested again; see {}", name, file);
	if (state == "back-off")
		return fmt::format("{} returns no data and is asked again later; see {}", name, file);
	if (state == "starved")
		return fmt::format("{} is starved by other users of the CPU's random numbers and is asked "
		                   "again later; see {}",
		                   name, file);
	if (state == "unregistered")
		return fmt::format("{} was refused by the kernel's hwrng framework (see dmesg)", name);
	if (source.withdrawn())
		return fmt::format("{} failed its tests again and again, so its module gave it up; `{}` "
		                   "tests it again",
		                   name, test_again(source));
	return fmt::format("{} is not a hwrng: its state is \"{}\" ({})", name, state, file);
}

std::string test_again(const ModuleSource &source)
{
	return fmt::format("echo start-up >{}", source.file);
}

} // namespace hwrngd
