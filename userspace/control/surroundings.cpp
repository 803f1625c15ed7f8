// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/surroundings.h"

#include <array>
#include <charconv>
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

void read_feeders(const Root &root, const std::string &current, Surroundings &around)
{
	// Outside of containers process 2 is the parent of all kernel threads.
	around.sees_all_processes = root.read_if_any("/proc/2/comm") == "kthreadd";
	for (const auto &entry : root.list("/proc")) {
		unsigned pid = 0;
		const char *end = entry.data() + entry.size();
		const auto [stop, error] = std::from_chars(entry.data(), end, pid);
		if (error != std::errc{} || stop != end)
			continue;
		const auto comm = root.read_if_any("/proc/" + entry + "/comm").value_or("");
		if (comm == "hwrng")
			around.feeders.push_back({comm, pid,
			                          fmt::format("the kernel's own thread, from {}",
			                                      current.empty() ? "no RNG" : current)});
		for (const auto &known : known_feeders)
			if (comm == known.comm)
				around.feeders.push_back({comm, pid, std::string(known.what)});
	}
}

} // namespace

Surroundings look_around(const Root &root, const Inventory &inventory)
{
	Surroundings around;
	read_feeders(root, inventory.hwrng ? inventory.hwrng->current : "", around);
	if (const auto modules = KernelModules::open(root, inventory.kernel))
		for (const char *module : {"tpm_rng", "cpu_rng"})
			around.modules.push_back(modules->inspect(module));
	if (const auto config = root.read_if_any("/boot/config-" + inventory.kernel)) {
		const std::string_view key = "\nCONFIG_HW_RANDOM_TPM=";
		const auto at = config->find(key);
		around.config_hw_random_tpm =
		    at == std::string::npos ? "n" : config->substr(at + key.size(), 1);
	}
	return around;
}

} // namespace hwrngd
