// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/hwrng.h"

#include <algorithm>
#include <iterator>

namespace hwrngd::diagnosis {

namespace {

Finding modules_refused(const Machine &machine, const ModuleState &module)
{
	if (machine.facts.modules_disabled)
		return {.id = "modules-refused",
		        .text = fmt::format("{} is not loaded, and the kernel loads no module until the "
		                            "next boot, because an administrator disabled that",
		                            module.name),
		        .evidence = {{"/proc/sys/kernel/modules_disabled", "1"}},
		        .remedy = {{"load it at boot, before module loading is disabled",
		                    keep_loaded(module.name).command},
		                   {"and reboot"}}};
	const auto refusal = machine.facts.refusal.value_or(Evidence{});
	Finding finding{
	    .id = "modules-refused",
	    .text = fmt::format("The kernel refuses {}: {} requires signed modules, and {}",
	                        module.name, refusal.where,
	                        module.signer ? "the kernel does not trust the key that signed this one"
	                                      : "the file is not signed"),
	    .evidence = {refusal, {module.path.value_or(""), module.signer.value_or("not signed")}}};
	machine.add_messages(refusal_words, finding);
	if (module.signer)
		finding.certainty = Certainty::likely;
	else
		finding.remedy.push_back(
		    {"rebuild it with dkms 3 or later, which signs modules", "dkms autoinstall"});
	if (machine.facts.efi) {
		finding.remedy.push_back({"enrol dkms' key; choose a password for this",
		                          "mokutil --import /var/lib/dkms/mok.pub"});
		finding.remedy.push_back(
		    {"reboot; at the blue screen, press a key within ten seconds, then "
		     "select: Enroll MOK, Continue, Yes, the password, Reboot"});
	} else {
		finding.remedy.push_back(
		    {"keys can only be enrolled with UEFI, and this machine was not "
		     "booted by UEFI: boot it without module.sig_enforce or lockdown"});
	}
	return finding;
}

} // namespace

Finding withdrawn(const Machine &machine, const ModuleSource &source)
{
	Finding finding{
	    .id = "hwrng-withdrawn",
	    .severity = Severity::warning,
	    .text = fmt::format("{} failed the health tests of its module again and again, so the "
	                        "module gave it up: it serves no data",
	                        source.name),
	    .evidence = {{source.file, source.state}},
	    .remedy = {
	        {"test it again; if it fails again, the hardware is faulty", test_again(source)}}};
	if (machine.current() == source.name) {
		finding.severity = Severity::problem;
		if (const auto other = machine.other_hwrng())
			finding.remedy.push_back({"or select another hwrng", "hwrngctl select " + *other});
	}
	return finding;
}

Finding tpm_not_hwrng(const Machine &machine, const Tpm &tpm)
{
	const auto *module = machine.module("tpm_rng");
	if (machine.refused("tpm_rng") && module != nullptr)
		return modules_refused(machine, *module);
	Finding finding{
	    .id = "tpm-not-hwrng",
	    .text = fmt::format("{} exists, but the kernel does not serve it as a hwrng", tpm.name),
	    .evidence = {{"/sys/class/tpm/" + tpm.name, "TPM " + tpm.version},
	                 machine.seen_available()}};
	if (machine.around.config_hw_random_tpm)
		finding.evidence.push_back(
		    {machine.around.config_file,
		     "CONFIG_HW_RANDOM_TPM=" + *machine.around.config_hw_random_tpm});
	if (machine.facts.amd_ftpm) {
		machine.add_messages(amd_tpm_words, finding);
		const bool guest = !machine.facts.hypervisor.empty();
		finding.id = "amd-ftpm";
		finding.certainty = Certainty::likely;
		finding.text = fmt::format(
		    "The kernel does not read {}, because it seems to be an AMD firmware TPM, which makes "
		    "the whole machine stutter when it is read{}",
		    tpm.name, guest ? "; this is a virtual machine, so it is not one" : "");
		if (guest) {
			finding.remedy = {{"make tpm_rng serve it anyway",
			                   "echo 'options tpm_rng force=1' >/etc/modprobe.d/tpm_rng.conf"}};
			if (!machine.has_module("tpm_rng"))
				finding.remedy.push_back({"install tpm_rng", "apt install hwrngd-dkms"});
			// A loaded module keeps its old options.
			if (module != nullptr && module->loaded)
				finding.remedy.push_back({"unload tpm_rng", "hwrngctl unload tpm"});
			finding.remedy.push_back(load_always("tpm_rng", "load tpm_rng"));
		} else {
			finding.remedy = machine.serve_cpu();
			finding.remedy.push_back(
			    {"a firmware newer than AGESA 1.2.0.7 does not stutter, but the "
			     "kernel does not check for that"});
		}
		return finding;
	}
	if (const auto state = machine.no_data_from(tpm)) {
		finding.id = "tpm-error";
		finding.certainty = Certainty::likely;
		finding.text = fmt::format(
		    "{} {}, so it is not a hwrng yet; the usual reason is that the TPM is switched off or "
		    "was not started",
		    tpm.name,
		    state->value == "failed" ? "fails the health tests of tpm_rng"
		                             : "returns no random bytes");
		finding.evidence.push_back(*state);
		machine.add_messages(tpm_error_words, finding);
		finding.remedy = {{"switch it on in the firmware's set-up (TPM state: enabled, active)"}};
		std::ranges::copy(machine.serve_cpu(), std::back_inserter(finding.remedy));
		return finding;
	}
	if (const auto *source = machine.source_of(tpm); source != nullptr && source->withdrawn())
		return withdrawn(machine, *source);
	if (const auto *source = machine.source_of(tpm); source != nullptr && source->is_tested()) {
		finding.text = fmt::format("{} is not a hwrng yet: tpm_rng tests it first", tpm.name);
		finding.evidence.push_back({source->file, source->state});
		finding.remedy = {{"wait some seconds, then run doctor again"}};
		return finding;
	}
	machine.add_messages(tpm_upgrade_words, finding);
	if (!machine.has_module("tpm_rng")) {
		if (machine.loaded_at_boot("tpm_rng"))
			finding.id = "tpm-rng-module-missing";
		finding.text += ": the module tpm_rng is not installed for this kernel, and the TPM's own "
		                "driver does not serve it as a hwrng";
		finding.remedy.push_back({"install tpm_rng", "apt install hwrngd-dkms"});
	}
	if (machine.loaded_at_boot("tpm_rng"))
		finding.remedy.push_back({"make it a hwrng", "hwrngctl load tpm"});
	else
		finding.remedy.push_back(load_always("tpm_rng", "make it a hwrng"));
	return finding;
}

std::optional<Finding> hidden_tpm(const Machine &machine)
{
	const auto is_tpm = [](const auto &device) { return device.seen.value.starts_with("TPM"); };
	if (!machine.facts.tpm_table || !machine.inventory.tpms.empty() ||
	    std::ranges::any_of(machine.facts.idle_devices, is_tpm))
		return std::nullopt;
	return Finding{.id = "tpm-hidden",
	               .certainty = Certainty::likely,
	               .text = "The firmware's tables list a TPM, but the kernel found none: usually, "
	                       "it is switched off in the firmware's set-up",
	               .evidence = {*machine.facts.tpm_table, {"/sys/class/tpm", "no TPM"}},
	               .remedy = advise_source("", "")};
}

Finding why_no_hwrng(const Machine &machine)
{
	const auto &inventory = machine.inventory;
	Finding finding{.id = "no-hwrng", .text = {}, .evidence = {machine.seen_current()}};
	if (inventory.hwrng && inventory.hwrng->selected && !inventory.hwrng->available.empty()) {
		finding.id = "none-selected";
		finding.text = "An administrator switched the hwrng off (rng_current is none), although "
		               "some are available";
		finding.evidence.push_back(machine.seen_available());
		finding.remedy = {{"let the kernel choose", "hwrngctl select auto"}};
		return finding;
	}
	if (!machine.facts.idle_devices.empty()) {
		const auto &device = machine.facts.idle_devices.front();
		finding.id = "device-without-driver";
		finding.text =
		    fmt::format("The driver of a device ({}) is {}", device.seen.value,
		                device.drivers_loaded ? "loaded but does not use it" : "not loaded");
		finding.evidence.push_back(device.seen);
		if (device.drivers_loaded) {
			finding.remedy = {
			    {"find the reason in the kernel's log", "dmesg | grep -Ei 'tpm|virtio'"}};
			std::ranges::copy(machine.serve_cpu(), std::back_inserter(finding.remedy));
		} else {
			finding.remedy = {{"load its driver", "modprobe -a " + device.drivers}};
		}
		return finding;
	}
	if (const auto *tpm = machine.unserved_tpm())
		return tpm_not_hwrng(machine, *tpm);
	if (auto hidden = hidden_tpm(machine); hidden && !machine.has_cpu_rng())
		return *hidden;
	finding.evidence.push_back(machine.seen_available());
	if (const auto other = machine.other_hwrng()) {
		finding.text =
		    "The kernel uses none of its hwrngs. It stops using a hwrng that fails to start";
		finding.remedy = {{"select one", "hwrngctl select " + *other}};
		return finding;
	}
	finding.text = inventory.hwrng
	                   ? "The kernel knows no hardware RNG: reading /dev/hwrng fails with "
	                     "\"No such device\""
	                   : "The kernel's hwrng framework is not loaded or not built";
	// The module is loaded, so that loading it does not help.
	const auto &sources = machine.around.module_sources;
	if (const auto cpu = std::ranges::find_if(
	        sources, [](const auto &source) { return source.name.starts_with("cpu_rng."); });
	    cpu != sources.end()) {
		finding.text += "; " + why_unregistered(*cpu);
		finding.evidence.push_back({cpu->file, cpu->state});
		finding.remedy = advise_source(machine.facts.hypervisor, machine.facts.board);
		return finding;
	}
	if (machine.has_cpu_rng()) {
		finding.text += "; the CPU's instructions can serve as one";
		finding.remedy = machine.serve_cpu();
		return finding;
	}
	if (const auto *module = machine.module("cpu_rng");
	    !inventory.cpu_instructions.empty() && module != nullptr && machine.refused("cpu_rng"))
		return modules_refused(machine, *module);
	finding.remedy = advise_source(machine.facts.hypervisor, machine.facts.board);
	auto steps = machine.serve_cpu();
	if (!steps.empty())
		steps.front().what = "or " + steps.front().what;
	std::ranges::move(steps, std::back_inserter(finding.remedy));
	return finding;
}

std::optional<Finding> hwrng_fault(const Machine &machine)
{
	const auto current = machine.current();
	if (const auto *source = machine.around.module_source(current);
	    source != nullptr && source->withdrawn())
		return withdrawn(machine, *source);
	const bool ccp = current.starts_with("ccp");
	Finding finding{.id = "hwrng-silent",
	                .text = {},
	                .evidence = {machine.seen_current(), {"/dev/hwrng", machine.facts.answer_text}},
	                .remedy = machine.use_another()};
	switch (machine.facts.answer) {
	case HwrngAnswer::nothing:
	case HwrngAnswer::spins:
		if (machine.facts.answer == HwrngAnswer::nothing) {
			finding.text = current + " returns no data: every reader of /dev/hwrng blocks";
			for (const auto &[file, driver] : machine.facts.stuck_readers)
				finding.evidence.push_back({file, "waits in " + driver});
			finding.remedy = machine.unload_silent();
		} else {
			finding.id = "hwrng-returns-nothing";
			finding.text =
			    fmt::format("The driver of {} keeps returning no data: a reader of /dev/hwrng "
			                "keeps a whole CPU busy",
			                current);
		}
		if (ccp) {
			finding.id = "amd-ccp";
			finding.text += "; AMD's CCP is known for this";
		}
		return finding;
	case HwrngAnswer::error:
		if (ccp) {
			finding.id = "amd-ccp";
			finding.text = fmt::format("Reading {} fails: AMD's CCP returns no data", current);
			return finding;
		}
		finding.id = current.starts_with("tpm") ? "tpm-error" : "hwrng-error";
		finding.text =
		    fmt::format("Reading {} fails{}", current,
		                current.starts_with("tpm") ? "; the usual reason is that the TPM is "
		                                             "switched off or was not started"
		                                           : "");
		if (finding.id == "tpm-error")
			std::ranges::copy(machine.facts.inactive_tpms, std::back_inserter(finding.evidence));
		machine.add_messages(tpm_error_words, finding);
		if (current.starts_with("tpm"))
			finding.remedy.push_back(
			    {"or switch it on in the firmware's set-up (TPM state: enabled, active)"});
		return finding;
	case HwrngAnswer::equal_bytes:
		finding.id = "hwrng-sick";
		finding.text = current + " returns the same byte over and over; that is not random";
		return finding;
	default:
		return std::nullopt;
	}
}

} // namespace hwrngd::diagnosis
