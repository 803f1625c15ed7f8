// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/hwrng.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace hwrngd::diagnosis {

using std::string_view_literals::operator""sv;

namespace {

Finding modules_refused(const Machine &machine, const ModuleState &module)
{
	if (machine.saw.modules_disabled)
		return {.id = "modules-refused",
		        .text = fmt::format("The kernel loads no module until the next boot, as somebody "
		                            "had it do, and {} is not loaded",
		                            module.name),
		        .evidence = {{"/proc/sys/kernel/modules_disabled", "1"}},
		        .remedy = {{"have it loaded at boot, before that is switched on",
		                    keep_loaded(module.name).command},
		                   {"and reboot"}}};
	const auto refusal = machine.saw.refusal.value_or(Evidence{});
	Finding finding{
	    .id = "modules-refused",
	    .text = fmt::format(
	        "The kernel does not take {}: {} has it take signed modules alone, and {}", module.name,
	        refusal.where,
	        module.signer ? "it does not trust the key of this one" : "the file is not signed"),
	    .evidence = {refusal, {module.path.value_or(""), module.signer.value_or("not signed")}}};
	machine.add_messages(refusal_words, finding);
	if (module.signer)
		finding.certainty = Certainty::likely;
	else
		finding.remedy.push_back(
		    {"have dkms 3 or later build it, which signs", "dkms autoinstall"});
	if (machine.saw.efi) {
		finding.remedy.push_back({"enrol dkms' key, with a password made up for it",
		                          "mokutil --import /var/lib/dkms/mok.pub"});
		finding.remedy.push_back({"reboot; at the blue screen, within ten seconds: a key, Enroll "
		                          "MOK, Continue, Yes, the password, Reboot"});
	} else {
		finding.remedy.push_back({"this machine was not booted by UEFI, where keys are enrolled: "
		                          "boot it without module.sig_enforce or lockdown"});
	}
	return finding;
}

} // namespace

Finding tpm_not_hwrng(const Machine &machine, const Tpm &tpm)
{
	const auto *module = machine.module("tpm_rng");
	if (machine.refused("tpm_rng") && module != nullptr)
		return modules_refused(machine, *module);
	Finding finding{
	    .id = "tpm-not-hwrng",
	    .text = fmt::format("{} is there, and the kernel does not serve it as a hwrng", tpm.name),
	    .evidence = {{"/sys/class/tpm/" + tpm.name, "TPM " + tpm.version},
	                 machine.seen_available()}};
	if (machine.around.config_hw_random_tpm)
		finding.evidence.push_back(
		    {machine.around.config_file,
		     "CONFIG_HW_RANDOM_TPM=" + *machine.around.config_hw_random_tpm});
	if (machine.saw.amd_ftpm) {
		machine.add_messages(std::array{"Disabling hwrng"sv, "is left alone"sv}, finding);
		const bool guest = !machine.saw.hypervisor.empty();
		finding.id = "amd-ftpm";
		finding.certainty = Certainty::likely;
		finding.text = fmt::format(
		    "The kernel leaves {} alone: it takes it for a firmware TPM of AMD, reads of which "
		    "make the whole machine stutter{}",
		    tpm.name, guest ? "; in a virtual machine it is none" : "");
		if (guest) {
			finding.remedy = {{"have our module serve it all the same",
			                   "echo 'options tpm_rng force=1' >/etc/modprobe.d/tpm_rng.conf"}};
			if (!machine.has_module("tpm_rng"))
				finding.remedy.push_back({"install it", "apt install hwrngd-dkms"});
			// It was told otherwise when it was loaded.
			if (module != nullptr && module->loaded)
				finding.remedy.push_back({"unload it", "hwrngctl unload tpm"});
			finding.remedy.push_back({"load it", "hwrngctl load tpm"});
			finding.remedy.push_back(keep_loaded("tpm_rng"));
		} else {
			finding.remedy = machine.serve_the_cpu();
			finding.remedy.push_back({"a firmware that is newer than AGESA 1.2.0.7 does not "
			                          "stutter; but no kernel goes by that"});
		}
		return finding;
	}
	if (const auto *state = machine.no_bytes(tpm)) {
		finding.id = "tpm-error";
		finding.certainty = Certainty::likely;
		finding.text =
		    fmt::format("{} gives no random bytes, as does a TPM that is switched off or "
		                "was not started; it is no hwrng before it does",
		                tpm.name);
		finding.evidence.push_back(*state);
		machine.add_messages(tpm_error_words, finding);
		finding.remedy = {{"switch it on in the firmware's set-up (TPM state: enabled, active)"}};
		std::ranges::copy(machine.serve_the_cpu(), std::back_inserter(finding.remedy));
		return finding;
	}
	if (!machine.has_module("tpm_rng")) {
		if (machine.asks_for("tpm_rng"))
			finding.id = "tpm-rng-module-missing";
		finding.text += ": there is no module tpm_rng for this kernel, which has it in the TPM's "
		                "own driver, if at all";
		finding.remedy.push_back({"install it", "apt install hwrngd-dkms"});
	}
	finding.remedy.push_back({"make it one", "hwrngctl load tpm"});
	if (!machine.asks_for("tpm_rng"))
		finding.remedy.push_back(keep_loaded("tpm_rng"));
	return finding;
}

std::optional<Finding> hidden_tpm(const Machine &machine)
{
	const auto is_tpm = [](const auto &device) { return device.seen.value.starts_with("TPM"); };
	if (!machine.saw.tpm_table || !machine.has.tpms.empty() ||
	    std::ranges::any_of(machine.saw.idle_devices, is_tpm))
		return std::nullopt;
	return Finding{.id = "tpm-hidden",
	               .certainty = Certainty::likely,
	               .text = "The firmware's tables tell of a TPM, and the kernel has found none: as "
	                       "a rule it is switched off in the firmware's set-up",
	               .evidence = {*machine.saw.tpm_table, {"/sys/class/tpm", "no TPM"}},
	               .remedy = get_a_source("", "")};
}

Finding why_no_hwrng(const Machine &machine)
{
	const auto &has = machine.has;
	Finding finding{.id = "no-hwrng", .text = {}, .evidence = {machine.seen_current()}};
	if (has.hwrng && has.hwrng->selected && !has.hwrng->available.empty()) {
		finding.id = "none-selected";
		finding.text = "Somebody chose that the kernel use no hwrng, though there are some";
		finding.evidence.push_back(machine.seen_available());
		finding.remedy = {{"let the kernel choose", "hwrngctl select auto"}};
		return finding;
	}
	if (!machine.saw.idle_devices.empty()) {
		const auto &device = machine.saw.idle_devices.front();
		finding.id = "device-without-driver";
		finding.text = fmt::format("There is a device ({}) without its driver", device.seen.value);
		finding.evidence.push_back(device.seen);
		if (device.they_are_here) {
			finding.text += ", which is in the kernel and has not taken it";
			finding.remedy = {{"look for the driver's reason in the kernel's log",
			                   "dmesg | grep -Ei 'tpm|virtio'"}};
			std::ranges::copy(machine.serve_the_cpu(), std::back_inserter(finding.remedy));
		} else {
			finding.remedy = {{"load it", "modprobe -a " + device.drivers}};
		}
		return finding;
	}
	if (const auto *tpm = machine.unserved_tpm())
		return tpm_not_hwrng(machine, *tpm);
	if (auto hidden = hidden_tpm(machine); hidden && !machine.has_cpu_rng())
		return *hidden;
	finding.evidence.push_back(machine.seen_available());
	if (const auto other = machine.other_hwrng()) {
		finding.text = "The kernel uses none of its hwrngs; it gives up one that does not start";
		finding.remedy = {{"use this one", "hwrngctl select " + *other}};
		return finding;
	}
	finding.text = has.hwrng ? "No hardware RNG is known to the kernel: a read of /dev/hwrng ends "
	                           "with \"No such device\""
	                         : "The kernel's hwrng framework is not loaded, or not built";
	if (machine.has_cpu_rng()) {
		finding.text += "; the CPU could be one";
		finding.remedy = machine.serve_the_cpu();
		return finding;
	}
	if (const auto *module = machine.module("cpu_rng");
	    !has.cpu_instructions.empty() && module != nullptr && machine.refused("cpu_rng"))
		return modules_refused(machine, *module);
	finding.remedy = get_a_source(machine.saw.hypervisor, machine.saw.board);
	auto steps = machine.serve_the_cpu();
	if (!steps.empty())
		steps.front().what = "or " + steps.front().what;
	std::ranges::move(steps, std::back_inserter(finding.remedy));
	return finding;
}

std::optional<Finding> ill_hwrng(const Machine &machine)
{
	const auto current = machine.current();
	const bool ccp = current.starts_with("ccp");
	Finding finding{.id = "hwrng-silent",
	                .text = {},
	                .evidence = {machine.seen_current(), {"/dev/hwrng", machine.saw.answer_text}},
	                .remedy = machine.use_another()};
	switch (machine.saw.answer) {
	case HwrngAnswer::nothing:
	case HwrngAnswer::spins:
		if (machine.saw.answer == HwrngAnswer::nothing) {
			finding.text = current + " gives no byte, and who reads /dev/hwrng waits";
			for (const auto &[file, driver] : machine.saw.stuck_readers)
				finding.evidence.push_back({file, "waits in " + driver});
			finding.remedy = machine.unload_silent();
		} else {
			finding.id = "hwrng-returns-nothing";
			finding.text = fmt::format("The driver of {} returns without a byte, time and again, "
			                           "and who reads /dev/hwrng takes a whole CPU",
			                           current);
		}
		if (ccp) {
			finding.id = "amd-ccp";
			finding.text += ", as AMD's CCP does";
		}
		return finding;
	case HwrngAnswer::error:
		if (ccp) {
			finding.id = "amd-ccp";
			finding.text = fmt::format("A read of {} fails: AMD's CCP gives nothing", current);
			return finding;
		}
		finding.id = current.starts_with("tpm") ? "tpm-error" : "hwrng-error";
		finding.text =
		    fmt::format("A read of {} fails{}", current,
		                current.starts_with("tpm") ? "; a TPM that is switched off or was "
		                                             "not started does so"
		                                           : "");
		if (finding.id == "tpm-error")
			std::ranges::copy(machine.saw.inactive_tpms, std::back_inserter(finding.evidence));
		machine.add_messages(tpm_error_words, finding);
		if (current.starts_with("tpm"))
			finding.remedy.push_back(
			    {"or switch it on in the firmware's set-up (TPM state: enabled, active)"});
		return finding;
	case HwrngAnswer::equal_bytes:
		finding.id = "hwrng-sick";
		finding.text = current + " gives the same byte over and over; that is not random";
		return finding;
	default:
		return std::nullopt;
	}
}

} // namespace hwrngd::diagnosis
