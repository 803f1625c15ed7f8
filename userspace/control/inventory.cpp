// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/inventory.h"

#include "control/credit.h"
#include "control/programs.h"
#include "kernel/crng.h"
#include "kernel/trust_cpu.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace hwrngd {

namespace {

// Claims, in bits per 1024 bits, for sources whose claim the kernel does not show.
constexpr unsigned claim_of_unknown = 512; // a driver that states no quality
constexpr unsigned claim_of_virtio = 1000; // what virtio-rng registers on 5.10 and 6.1
constexpr unsigned claim_of_tpm = 512;     // the same as in the module tpm_rng
constexpr unsigned claim_of_seed = 512;    // the same as in the module cpu_rng
// The same as in the module cpu_rng: a generator that is reseeded with 256 bits after 511 x 128
// bits at most.
constexpr unsigned claim_of_generator = 4;
constexpr unsigned claim_of_jitter = 512; // it claims full entropy, but only timing is behind it

struct KnownHwrng {
	std::string_view prefix; ///< of the name that the kernel lists
	std::string_view driver;
	unsigned claim;
};

constexpr std::array<KnownHwrng, 8> known_hwrngs{{
    {"virtio_rng.", "virtio_rng", claim_of_virtio},
    {"tpm_rng.", "tpm_rng", claim_of_tpm},
    {"tpm-rng", "tpm (the kernel's own)", claim_of_tpm},
    {"cpu_rng.rdseed", "cpu_rng", claim_of_seed},
    {"cpu_rng.rndrrs", "cpu_rng", claim_of_seed},
    {"cpu_rng.darn", "cpu_rng", claim_of_seed},
    {"cpu_rng.seed", "cpu_rng", claim_of_seed},
    {"cpu_rng.", "cpu_rng", claim_of_generator}, // rdrand, rndr
}};

void read_kernel(const Root &root, Inventory &inventory)
{
	struct utsname name = {};
	if (uname(&name) == 0) {
		inventory.kernel = &name.release[0];
		inventory.architecture = &name.machine[0];
	}
	// A tree of files for another machine has its own release.
	if (const auto release = root.read_if_any("/proc/sys/kernel/osrelease"))
		inventory.kernel = *release;
	inventory.crng_ready = crng_ready();
	inventory.entropy_available = root.read_number("/proc/sys/kernel/random/entropy_avail");
	inventory.pool_size = root.read_number("/proc/sys/kernel/random/poolsize");
	inventory.cpu_distrust = cpu_distrust(root, inventory.kernel);
}

/// The quality from a parameter of one of our modules, if `name` belongs to that module.
std::optional<unsigned> own_quality(const Root &root, const std::string &name)
{
	if (name.starts_with("tpm_rng."))
		return root.read_number("/sys/module/tpm_rng/parameters/quality");
	if (name.starts_with("cpu_rng."))
		return root.read_number("/sys/module/cpu_rng/parameters/" + name.substr(8) + "_quality");
	return std::nullopt;
}

SourceInfo describe_hwrng(const Root &root, const HwrngState &state, const std::string &name)
{
	SourceInfo info{
	    .name = name, .kind = SourceKind::hwrng, .driver = "", .claim = claim_of_unknown};
	info.current = name == state.current;
	for (const auto &known : known_hwrngs) {
		if (!name.starts_with(known.prefix))
			continue;
		info.driver = known.driver;
		info.claim = known.claim;
		break;
	}
	info.claim = own_quality(root, name).value_or(info.claim);
	// 0 means no claim: on 6.1 it is the quality of drivers that state none.
	if (const unsigned quality = state.quality.value_or(0); info.current && quality > 0)
		info.claim = quality;
	return info;
}

void read_tpms(const Root &root, Inventory &inventory)
{
	for (const auto &name : root.list("/sys/class/tpm")) {
		const std::string folder = "/sys/class/tpm/" + name;
		const std::string number = name.substr(std::min<size_t>(3, name.size()));
		Tpm tpm{.name = name, .version = "", .description = "", .hwrng = std::nullopt};
		// Before Linux 5.6 only "caps" shows the version: only a TPM 1.2 has it.
		const char *older = root.exists(folder + "/caps") ? "1" : "2";
		tpm.version =
		    root.read_if_any(folder + "/tpm_version_major").value_or(older) == "1" ? "1.2" : "2.0";
		tpm.description = root.read_if_any(folder + "/device/description").value_or("");
		tpm.resource_manager =
		    root.has_device("/dev/tpmrm" + number, "/sys/class/tpmrm/tpmrm" + number);
		if (inventory.hwrng)
			for (const auto &hwrng : inventory.hwrng->available)
				if (hwrng == "tpm_rng." + number || hwrng == "tpm-rng-" + number)
					tpm.hwrng = hwrng;
		inventory.tpms.push_back(std::move(tpm));
	}
}

/// True if this crypto module of the kernel is loaded, built in, or can be loaded. Does not use
/// libkmod, which the daemon needs for nothing else.
bool has_crypto_module(const Root &root, const std::string &kernel, const std::string &name)
{
	const auto folder = "/lib/modules/" + kernel;
	const auto files = root.list(folder + "/kernel/crypto");
	return root.exists("/sys/module/" + name) ||
	       root.read_if_any(folder + "/modules.builtin")
	           .value_or("")
	           .contains("/" + name + ".ko\n") ||
	       std::any_of(files.begin(), files.end(), [&](const auto &file) {
		       return file == name + ".ko" || file.starts_with(name + ".ko."); // compressed
	       });
}

/// The kind of a configured source, and a text that describes its origin. Nothing if the entry only
/// has settings for a source that exists anyway.
std::optional<std::pair<SourceKind, std::string>> origin_of(const SourceConfig &source)
{
	if (!source.command.empty())
		return std::pair(SourceKind::command, source.command.front());
	if (!source.egd.empty())
		return std::pair(SourceKind::egd, source.egd);
	if (!source.ssh.empty())
		return std::pair(SourceKind::ssh, source.ssh);
	if (!source.path.empty())
		return std::pair(SourceKind::generator, source.path);
	return std::nullopt;
}

/// Adds the configured sources. A source of the kernel or the CPU with the same name has priority.
void list_configured(const Root &root, const Config &config, Inventory &inventory)
{
	const auto folder = own_folder().value_or("/");
	for (const auto &[name, configured] : config.sources) {
		const auto origin = origin_of(configured);
		if (!origin)
			continue;
		const auto same = [&](const auto &source) { return source.name == name; };
		if (std::any_of(inventory.sources.begin(), inventory.sources.end(), same))
			continue;
		const bool absent =
		    origin->first == SourceKind::generator && root.is_missing(configured.path);
		inventory.sources.push_back({
		    .name = name,
		    .kind = origin->first,
		    .driver = origin->second + (absent ? " (absent)" : ""),
		    // The claim is the credit from the administrator.
		    .claim = config.source(name).credit.value_or(0),
		    .path = configured.path,
		    .speed = configured.speed.value_or(0),
		    .command = words_of(root, folder, name, configured),
		    .absent = absent ? fmt::format("is absent: {} does not exist", configured.path) : "",
		});
	}
}

void list_sources(const Root &root, Inventory &inventory)
{
	if (inventory.hwrng)
		for (const auto &name : inventory.hwrng->available)
			inventory.sources.push_back(describe_hwrng(root, *inventory.hwrng, name));
	for (const auto &tpm : inventory.tpms)
		if (tpm.resource_manager)
			inventory.sources.push_back({.name = "tpmrm" + tpm.name.substr(3),
			                             .kind = SourceKind::tpm2,
			                             .driver = "tpm2-tss",
			                             .claim = claim_of_tpm});
	for (const auto &instruction : inventory.cpu_instructions)
		inventory.sources.push_back({.name = instruction,
		                             .kind = SourceKind::cpu,
		                             .driver = "CPU instruction",
		                             .claim = instruction == "rdrand" || instruction == "rndr"
		                                          ? claim_of_generator
		                                          : claim_of_seed});
	for (const auto &[name, erratum] : inventory.faulty_instructions)
		inventory.sources.push_back({.name = name,
		                             .kind = SourceKind::cpu,
		                             .driver = "CPU instruction (faulty)",
		                             .absent = "is not used: " + erratum});
}

} // namespace

const char *name(SourceKind kind)
{
	switch (kind) {
	case SourceKind::hwrng:
		return "hwrng";
	case SourceKind::tpm2:
		return "tpm2";
	case SourceKind::cpu:
		return "cpu";
	case SourceKind::generator:
		return "generator";
	case SourceKind::command:
		return "command";
	case SourceKind::egd:
		return "egd";
	case SourceKind::ssh:
		return "ssh";
	case SourceKind::jitter:
		return "jitter";
	}
	return "?";
}

Inventory take_inventory(const Root &root, const Config &config)
{
	Inventory inventory;
	read_kernel(root, inventory);
	if (auto state = HwrngSysfs(root).read())
		inventory.hwrng = std::move(*state);
	read_tpms(root, inventory);
	auto instructions = cpu_instructions(root);
	inventory.cpu_instructions = std::move(instructions.usable);
	inventory.faulty_instructions = std::move(instructions.faulty);
	list_sources(root, inventory);
	// Both parts are needed: the socket, and the generator behind it.
	if (has_crypto_module(root, inventory.kernel, "algif_rng") &&
	    has_crypto_module(root, inventory.kernel, "jitterentropy_rng"))
		inventory.sources.push_back({.name = "jitter",
		                             .kind = SourceKind::jitter,
		                             .driver = "jitterentropy_rng",
		                             .claim = claim_of_jitter});
	list_configured(root, config, inventory);
	for (auto &source : inventory.sources)
		source.distrust = distrust_of(source, inventory);
	return inventory;
}

} // namespace hwrngd
