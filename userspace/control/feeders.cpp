// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/feeders.h"

#include <array>
#include <charconv>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

namespace hwrngd {

namespace {

struct KnownFeeder {
	std::string_view comm;
	std::string_view what;
};

constexpr std::array<KnownFeeder, 6> known_feeders{{
    {"hwrngd", "this project's daemon"},
    {"rngd", "rng-tools"},
    {"haveged", "CPU timing noise"},
    {"jitterentropy-r", "CPU jitter (jitterentropy-rngd)"}, // comm holds 15 characters
    {"egd-linux", "entropy from an EGD server"},
    {"entropyservice", "entropy over SSH"},
}};

/// The systemd service of a process: the last part of its control group (cgroups(7)).
std::string unit_of(const Root &root, const std::string &pid)
{
	std::istringstream groups(root.read_if_any("/proc/" + pid + "/cgroup").value_or(""));
	for (std::string group; std::getline(groups, group);)
		if (group.ends_with(".service"))
			return group.substr(group.rfind('/') + 1);
	return "";
}

} // namespace

std::vector<Feeder> find_feeders(const Root &root, const std::string &current)
{
	std::vector<Feeder> feeders;
	for (const auto &entry : root.list("/proc")) {
		unsigned pid = 0;
		const char *end = entry.data() + entry.size();
		const auto [stop, error] = std::from_chars(entry.data(), end, pid);
		if (error != std::errc{} || stop != end)
			continue;
		const auto comm = root.read_if_any("/proc/" + entry + "/comm").value_or("");
		if (comm == "hwrng")
			feeders.push_back({comm, pid,
			                   fmt::format("the kernel's own thread, from {}",
			                               current.empty() ? "no RNG" : current),
			                   ""});
		for (const auto &known : known_feeders)
			if (comm == known.comm)
				feeders.push_back({comm, pid, std::string(known.what), unit_of(root, entry)});
	}
	return feeders;
}

} // namespace hwrngd
