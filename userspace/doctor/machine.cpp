// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/machine.h"

#include "control/policy.h"

#include <algorithm>

#include <fmt/ranges.h>

namespace hwrngd::diagnosis {

namespace {

constexpr const char *rng_current = "/sys/class/misc/hw_random/rng_current";
constexpr const char *rng_available = "/sys/class/misc/hw_random/rng_available";

bool has_one_of(const Evidence &message, std::span<const std::string_view> words)
{
	return std::ranges::any_of(words, [&](auto word) { return message.value.contains(word); });
}

} // namespace

const Tpm *Machine::unserved_tpm() const
{
	const auto found =
	    std::ranges::find_if(inventory.tpms, [](const Tpm &tpm) { return !tpm.hwrng; });
	return found == inventory.tpms.end() ? nullptr : &*found;
}

const ModuleState *Machine::module(const std::string &name) const
{
	const auto found = std::ranges::find(around.modules, name, &ModuleState::name);
	return found == around.modules.end() ? nullptr : &*found;
}

bool Machine::has_module(const std::string &name) const
{
	const auto *state = module(name);
	return state != nullptr && (state->loaded || state->builtin || state->path);
}

bool Machine::refused(const std::string &name) const
{
	const auto *state = module(name);
	if (state == nullptr || state->loaded || state->builtin || !state->path)
		return false;
	if (facts.modules_disabled)
		return true;
	if (!facts.refusal)
		return false;
	// The kernel logs the first of these messages only for unsigned modules.
	return !state->signer || std::ranges::any_of(facts.messages, [](const Evidence &message) {
		return has_one_of(message, std::span(refusal_words).subspan<1>());
	});
}

bool Machine::has_cpu_rng() const
{
	return !inventory.cpu_instructions.empty() && facts.why_not_cpu_rng.empty() &&
	       has_module("cpu_rng") && !refused("cpu_rng");
}

std::vector<Advice> Machine::serve_cpu() const
{
	if (inventory.cpu_instructions.empty() || !facts.why_not_cpu_rng.empty() || refused("cpu_rng"))
		return {};
	std::vector<Advice> steps;
	if (!has_module("cpu_rng"))
		steps.push_back({"install the module that serves the CPU", "apt install hwrngd-dkms"});
	steps.push_back(load_always("cpu_rng", "make the CPU's instructions hwrngs"));
	return steps;
}

const ModuleSource *Machine::source_of(const Tpm &tpm) const
{
	return tpm.hwrng ? nullptr : around.module_source("tpm_rng." + tpm.name.substr(3));
}

std::optional<Evidence> Machine::no_data_from(const Tpm &tpm) const
{
	const auto own = std::ranges::find_if(facts.inactive_tpms, [&](const Evidence &one) {
		return one.where.contains(fmt::format("/{}/", tpm.name));
	});
	if (own != facts.inactive_tpms.end())
		return *own;
	const auto *source = source_of(tpm);
	if (source == nullptr || source->is_tested() || source->withdrawn())
		return std::nullopt;
	return Evidence{source->file, source->state};
}

void Machine::add_messages(std::span<const std::string_view> words, Finding &finding) const
{
	for (const auto &message : facts.messages)
		if (has_one_of(message, words))
			finding.evidence.push_back(message);
}

bool Machine::loaded_at_boot(std::string_view name) const
{
	return std::ranges::find(facts.boot_modules, name, &Evidence::value) !=
	       facts.boot_modules.end();
}

Evidence Machine::seen_current() const
{
	if (!inventory.hwrng)
		return {rng_current, "no such file"};
	return {rng_current, current().empty() ? "none" : current()};
}

Evidence Machine::seen_available() const
{
	if (!inventory.hwrng)
		return {rng_available, "no such file"};
	return {rng_available, inventory.hwrng->available.empty()
	                           ? "none"
	                           : fmt::format("{}", fmt::join(inventory.hwrng->available, " "))};
}

std::optional<std::string> Machine::other_hwrng() const
{
	const auto distrusted = [&](const std::string &name) {
		return std::ranges::find(facts.uncredited, name, &Evidence::where) !=
		       facts.uncredited.end();
	};
	std::optional<std::string> other;
	if (inventory.hwrng)
		for (const auto &name : inventory.hwrng->available)
			if (name != current() && (!other || name.starts_with("tpm")) && !distrusted(name) &&
			    !switching_danger(*inventory.hwrng, name))
				other = name;
	return other;
}

std::string Machine::silent_driver() const
{
	if (!facts.stuck_readers.empty())
		return facts.stuck_readers.front().value;
	return current().starts_with("virtio_rng.") ? "virtio_rng" : "";
}

std::vector<Advice> Machine::unload_silent() const
{
	const auto driver = silent_driver();
	if (driver.empty())
		return use_another();
	const auto is_its = [&](const std::string &name) { return name.starts_with(driver + "."); };
	std::vector<Advice> steps;
	if (inventory.hwrng && std::ranges::all_of(inventory.hwrng->available, is_its)) {
		const auto *tpm = unserved_tpm();
		if (tpm != nullptr && has_module("tpm_rng") && !refused("tpm_rng") && !facts.amd_ftpm)
			steps = {load_always("tpm_rng", "make the TPM a hwrng")};
		else if (has_cpu_rng())
			steps = serve_cpu();
	}
	steps.push_back(
	    {"unload the driver that blocks readers of /dev/hwrng", "modprobe -r " + driver});
	steps.push_back({"do not load it at boot",
	                 fmt::format("echo 'blacklist {0}' >/etc/modprobe.d/{0}.conf", driver)});
	if (driver == "virtio_rng")
		steps.push_back({"or make the host supply data: check the backend of this machine's "
		                 "virtio-rng"});
	return steps;
}

std::vector<Advice> Machine::use_another() const
{
	if (const auto other = other_hwrng())
		return {{"select another hwrng", "hwrngctl select " + *other}};
	if (const auto *tpm = unserved_tpm();
	    tpm != nullptr && has_module("tpm_rng") && !refused("tpm_rng") && !facts.amd_ftpm)
		return {load_always("tpm_rng", "make the TPM a hwrng"),
		        {"select it", "hwrngctl select tpm_rng." + tpm->name.substr(3)}};
	if (has_cpu_rng()) {
		auto steps = serve_cpu();
		steps.push_back({"select one of them",
		                 "hwrngctl select cpu_rng." + inventory.cpu_instructions.front()});
		return steps;
	}
	if (inventory.hwrng && inventory.hwrng->can_select_none)
		return {{"make the kernel use no hwrng", "hwrngctl select none"}};
	return {{"unload its driver (find it with `ls -l /sys/class/misc/hw_random` and dmesg)"}};
}

} // namespace hwrngd::diagnosis
