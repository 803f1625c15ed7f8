// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/diagnosis.h"

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <string_view>

#include <fmt/ranges.h>

namespace hwrngd {

namespace {

constexpr const char *rng_current = "/sys/class/misc/hw_random/rng_current";
constexpr const char *rng_available = "/sys/class/misc/hw_random/rng_available";

/// What was seen, and what the rules ask of it.
class Machine {
public:
	Machine(const Inventory &inventory, const Surroundings &around, const Symptoms &symptoms)
	    : has(inventory), around(around), saw(symptoms)
	{
	}

	const Inventory &has;
	const Surroundings &around;
	const Symptoms &saw;

	[[nodiscard]] std::string current() const { return has.hwrng ? has.hwrng->current : ""; }

	[[nodiscard]] const Tpm *unserved_tpm() const
	{
		const auto found =
		    std::ranges::find_if(has.tpms, [](const Tpm &tpm) { return !tpm.hwrng; });
		return found == has.tpms.end() ? nullptr : &*found;
	}

	[[nodiscard]] const ModuleState *module(const std::string &name) const
	{
		const auto found = std::ranges::find(around.modules, name, &ModuleState::name);
		return found == around.modules.end() ? nullptr : &*found;
	}

	/// Is there a file of that module, or is it loaded?
	[[nodiscard]] bool has_module(const std::string &name) const
	{
		const auto *state = module(name);
		return state != nullptr && (state->loaded || state->builtin || state->path);
	}

	/// Has the kernel refused its file, or will it?
	[[nodiscard]] bool refused(const std::string &name) const
	{
		const auto *state = module(name);
		if (state == nullptr || state->loaded || state->builtin || !state->path || !saw.refusal)
			return false;
		return !state->signer || std::ranges::any_of(saw.messages, [](const Evidence &message) {
			return message.value.contains("rejected");
		});
	}

	[[nodiscard]] bool asks_for(std::string_view name) const
	{
		return std::ranges::find(saw.asked_modules, name, &Evidence::value) !=
		       saw.asked_modules.end();
	}

	[[nodiscard]] Evidence seen_current() const
	{
		return {rng_current, current().empty() ? "none" : current()};
	}

	[[nodiscard]] Evidence seen_available() const
	{
		if (!has.hwrng)
			return {rng_available, "no such file"};
		return {rng_available, has.hwrng->available.empty()
		                           ? "none"
		                           : fmt::format("{}", fmt::join(has.hwrng->available, " "))};
	}

	/// Another hwrng than the one in use, the TPM before others.
	[[nodiscard]] std::optional<std::string> other_hwrng() const
	{
		std::optional<std::string> other;
		if (has.hwrng)
			for (const auto &name : has.hwrng->available)
				if (name != current() && (!other || name.starts_with("tpm")))
					other = name;
		return other;
	}

	/// From the hwrng in use to a better one.
	[[nodiscard]] std::vector<Advice> use_another() const
	{
		if (const auto other = other_hwrng())
			return {{"use the other one", "hwrngctl select " + *other}};
		if (const auto *tpm = unserved_tpm();
		    tpm != nullptr && has_module("tpm_rng") && !refused("tpm_rng") && !saw.amd_ftpm)
			return {{"make the TPM a hwrng", "hwrngctl load tpm"},
			        {"use it", "hwrngctl select tpm_rng." + tpm->name.substr(3)}};
		if (has.hwrng && has.hwrng->can_select_none)
			return {{"have the kernel use none", "hwrngctl select none"}};
		return {{"unload its driver (`ls -l /sys/class/misc/hw_random` and dmesg tell which)"}};
	}
};

Finding modules_refused(const Machine &machine, const ModuleState &module)
{
	const auto refusal = machine.saw.refusal.value_or(Evidence{});
	Finding finding{
	    .id = "modules-refused",
	    .text = fmt::format(
	        "The kernel does not take {}: {} has it take signed modules alone, and {}", module.name,
	        refusal.where,
	        module.signer ? "it does not trust the key of this one" : "the file is not signed"),
	    .evidence = {refusal, {module.path.value_or(""), module.signer.value_or("not signed")}}};
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
		    {"/boot/config-" + machine.has.kernel,
		     "CONFIG_HW_RANDOM_TPM=" + *machine.around.config_hw_random_tpm});
	if (machine.saw.amd_ftpm) {
		for (const auto &message : machine.saw.messages)
			if (message.value.contains("Disabling hwrng"))
				finding.evidence.push_back(message);
		const bool guest = !machine.saw.hypervisor.empty();
		finding.id = "amd-ftpm";
		finding.certainty = Certainty::likely;
		finding.text = fmt::format(
		    "The kernel leaves {} alone: it takes it for a firmware TPM of AMD, reads of which "
		    "make the whole machine stutter{}",
		    tpm.name, guest ? "; in a virtual machine it is none" : "");
		if (guest)
			finding.remedy = {{"have our module serve it all the same",
			                   "echo 'options tpm_rng force=1' >/etc/modprobe.d/tpm_rng.conf"},
			                  {"", "hwrngctl load tpm"}};
		else
			finding.remedy = {{"use the CPU's instructions instead", "hwrngctl load cpu"},
			                  {"or a firmware that is newer than AGESA 1.2.0.7"}};
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

/// Why the kernel uses no hwrng: the nearest cause.
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
	for (const auto &device : machine.saw.idle_devices) {
		finding.id = "device-without-driver";
		finding.text = fmt::format("There is a device ({}) without its driver", device.value);
		finding.evidence.push_back(device);
		finding.remedy = {{"load it", device.value == "virtio-rng"
		                                  ? "modprobe virtio_rng"
		                                  : "modprobe -a tpm_crb tpm_tis"}};
		return finding;
	}
	if (const auto *tpm = machine.unserved_tpm())
		return tpm_not_hwrng(machine, *tpm);
	finding.evidence.push_back(machine.seen_available());
	finding.text = has.hwrng ? "No hardware RNG is known to the kernel: a read of /dev/hwrng ends "
	                           "with \"No such device\""
	                         : "The kernel's hwrng framework is not loaded, or not built";
	if (!has.cpu_instructions.empty() && machine.has_module("cpu_rng")) {
		const auto *module = machine.module("cpu_rng");
		if (module != nullptr && machine.refused("cpu_rng"))
			return modules_refused(machine, *module);
		finding.text += "; the CPU could be one";
		finding.remedy = {{"make it one", "hwrngctl load cpu"}};
		finding.remedy.push_back(keep_loaded("cpu_rng"));
		return finding;
	}
	finding.remedy = get_a_source(machine.saw.hypervisor);
	return finding;
}

/// What is wrong with the hwrng in use.
std::optional<Finding> ill_hwrng(const Machine &machine)
{
	const auto current = machine.current();
	Finding finding{.id = "hwrng-silent",
	                .text = {},
	                .evidence = {machine.seen_current(), {"/dev/hwrng", machine.saw.answer_text}},
	                .remedy = machine.use_another()};
	switch (machine.saw.answer) {
	case HwrngAnswer::nothing:
		finding.text = current + " gives no byte; who reads /dev/hwrng waits or spins";
		if (current.starts_with("ccp")) {
			finding.id = "amd-ccp";
			finding.text += ", as AMD's CCP does";
		}
		return finding;
	case HwrngAnswer::error:
		finding.id = current.starts_with("tpm") ? "tpm-error" : "hwrng-error";
		finding.text =
		    fmt::format("A read of {} fails{}", current,
		                current.starts_with("tpm") ? "; a TPM that is switched off or was "
		                                             "not started does so"
		                                           : "");
		for (const auto &message : machine.saw.messages)
			if (message.value.contains("TPM error"))
				finding.evidence.push_back(message);
		if (current.starts_with("tpm"))
			finding.remedy.push_back({"or switch it on in the firmware's set-up"});
		return finding;
	case HwrngAnswer::equal_bytes:
		finding.id = "hwrng-sick";
		finding.text = current + " gives the same byte over and over; that is not random";
		return finding;
	default:
		return std::nullopt;
	}
}

void add_load(const Machine &machine, std::vector<Finding> &findings)
{
	constexpr double much = 0.8;
	for (const auto &[feeder, share] : machine.saw.busy) {
		if (share < much || (feeder.name != "hwrng" && feeder.name != "rngd"))
			continue;
		Finding finding{.id = feeder.name == "hwrng" ? "hwrng-thread-spins" : "rngd-spins",
		                .certainty = Certainty::likely,
		                .text =
		                    feeder.name == "hwrng"
		                        ? "The kernel's hwrng thread takes a whole CPU: the driver of " +
		                              machine.current() + " returns without a byte"
		                        : "rngd takes a whole CPU: its jitter source, as a rule",
		                .evidence = {{fmt::format("/proc/{}/stat", feeder.pid),
		                              fmt::format("{:.0f} % of a CPU", share * 100)}}};
		if (feeder.name == "hwrng")
			finding.remedy = machine.use_another();
		else
			finding.remedy = {{"start rngd with -x jitter, or have hwrngd in its place"}};
		findings.push_back(std::move(finding));
	}
}

void add_feeders(const Machine &machine, std::vector<Finding> &findings)
{
	std::map<std::string, Feeder> feeders; // one of each name
	Finding finding{.id = "two-feeders", .severity = Severity::warning, .text = {}};
	for (const auto &feeder : machine.around.feeders)
		if (feeder.name != "hwrng" && feeders.emplace(feeder.name, feeder).second)
			finding.evidence.push_back({fmt::format("/proc/{}/comm", feeder.pid), feeder.name});
	if (feeders.size() < 2)
		return;
	const auto names = std::views::keys(feeders);
	finding.text = fmt::format("{} feed the same pool; one is enough, and the others cost memory "
	                           "and time",
	                           fmt::join(names, " and "));
	const std::string kept = feeders.contains("hwrngd") ? "hwrngd" : feeders.rbegin()->first;
	for (const auto &[name, feeder] : feeders)
		if (name != kept)
			finding.remedy.push_back({fmt::format("keep {} and stop {}", kept, name),
			                          feeder.unit.empty()
			                              ? fmt::format("kill {}", feeder.pid)
			                              : "systemctl disable --now " + feeder.unit});
	findings.push_back(std::move(finding));
}

/// Why there is no such module.
const char *asked_in_vain(const Machine &machine, const std::string &module)
{
	if (module == "bcm2708_rng")
		return "bcm2708_rng is asked for, which is gone: the kernel loads bcm2835_rng or "
		       "iproc_rng200 by itself";
	if (machine.unserved_tpm() != nullptr)
		return "tpm_rng is asked for, and this kernel has no such module";
	if (machine.has.tpms.empty())
		return "tpm_rng is asked for; there is no such module, and no TPM that it could serve";
	return "tpm_rng is asked for; there is no such module any more, and none is needed: the kernel "
	       "serves the TPM itself";
}

void add_asked_modules(const Machine &machine, std::vector<Finding> &findings)
{
	for (const auto &asked : machine.saw.asked_modules) {
		const bool old_pi = asked.value == "bcm2708_rng";
		if (!old_pi &&
		    (machine.has_module("tpm_rng") ||
		     std::ranges::find(findings, "tpm-rng-module-missing", &Finding::id) != findings.end()))
			continue;
		Finding finding{.id = old_pi ? "raspberry-pi-module" : "tpm-rng-module-missing",
		                .severity = Severity::warning,
		                .text = {},
		                .evidence = {asked, machine.seen_available()}};
		if (!machine.saw.board.empty())
			finding.evidence.push_back({"/proc/device-tree/model", machine.saw.board});
		finding.text = asked_in_vain(machine, asked.value);
		if (!old_pi && machine.unserved_tpm() != nullptr)
			finding.remedy = {{"install it", "apt install hwrngd-dkms"}};
		else
			finding.remedy = {{"no longer ask for it",
			                   fmt::format("sed -i '/^ *{}/d' {}",
			                               old_pi ? "bcm2708[-_]rng" : "tpm[-_]rng", asked.where)}};
		findings.push_back(std::move(finding));
	}
}

void add_services(const Machine &machine, std::vector<Finding> &findings)
{
	const auto &saw = machine.saw;
	const auto current = machine.current();
	if (saw.hwrngd_installed && saw.systemd && !saw.hwrngd_runs)
		findings.push_back(
		    {.id = "hwrngd-stopped",
		     .severity = Severity::warning,
		     .text = "hwrngd is installed and does not run",
		     .evidence = {{"/run/hwrngd/status", "nobody listens"}},
		     .remedy = {{"start it, and at every boot", "systemctl enable --now hwrngd"}}});
	if (machine.has.hwrng && machine.has.hwrng->selected && !current.empty() && !saw.kept_rng &&
	    !saw.hwrngd_runs)
		findings.push_back({.id = "choice-not-kept",
		                    .severity = Severity::warning,
		                    .text = fmt::format("{} was chosen, and at the next boot the kernel "
		                                        "chooses anew: it keeps no choice",
		                                        current),
		                    .evidence = {{"/sys/class/misc/hw_random/rng_selected", "1"}},
		                    .remedy = {{"keep it, which hwrngd sees to",
		                                fmt::format("hwrngctl select {} --persist", current)}}});
	for (const auto &source : saw.ill_sources)
		findings.push_back(
		    {.id = "source-quarantined",
		     .severity = Severity::warning,
		     .text = source.where + " failed hwrngd's tests, and is not used",
		     .evidence = {source},
		     .remedy = {{"test it again", "hwrngctl test --source " + source.where}}});
	if (saw.rngd_installed && current.empty())
		findings.push_back({.id = "rngd-no-source",
		                    .severity = Severity::warning,
		                    .certainty = Certainty::likely,
		                    .text =
		                        "rngd has no hwrng to open (\"can't open any entropy source\"), "
		                        "for the reason above",
		                    .evidence = {machine.seen_current()}});
}

void add_platform(const Machine &machine, std::vector<Finding> &findings)
{
	const auto &saw = machine.saw;
	constexpr double long_wait = 30;
	const double ready_after = saw.ready_after.value_or(0);
	if (ready_after > long_wait)
		findings.push_back(
		    {.id = "slow-boot",
		     .severity = Severity::warning,
		     .text = "The CRNG was ready late, and what needs it at boot waited",
		     .evidence = {{"the kernel's log",
		                   fmt::format("crng init done after {:.0f} s", ready_after)}},
		     .remedy = get_a_source(machine.saw.hypervisor)});
	if (!saw.hypervisor.empty() && machine.has.cpu_instructions.empty() &&
	    machine.has.architecture == "x86_64")
		findings.push_back({.id = "cpu-instructions-hidden",
		                    .severity = Severity::warning,
		                    .certainty = Certainty::likely,
		                    .text = "The CPU shows neither RDRAND nor RDSEED: the hypervisor's CPU "
		                            "model hides them",
		                    .evidence = {{"/proc/cpuinfo", "flags without rdrand and rdseed"}},
		                    .remedy = {{"on the host, with libvirt: virt-xml NAME --edit --cpu "
		                                "host-passthrough"}}});
	if (!saw.monitors.empty() && machine.has.new_random_device())
		findings.push_back({.id = "entropy-avail-watched",
		                    .severity = Severity::warning,
		                    .certainty = Certainty::likely,
		                    .text = "A monitor watches entropy_avail, which tells nothing since "
		                            "Linux 5.18: it stays at 256",
		                    .evidence = saw.monitors,
		                    .remedy = {{"take that out of its configuration"}}});
}

void add_notes(const Machine &machine, std::vector<Finding> &findings)
{
	if (machine.has.new_random_device() && machine.has.entropy_available == machine.has.pool_size)
		findings.push_back(
		    {.id = "entropy-avail-256",
		     .severity = Severity::note,
		     .text = "256 bits are all that the pool holds since Linux 5.18; it is full",
		     .evidence = {{"/proc/sys/kernel/random/entropy_avail", "256"}}});
	const auto *tpm = machine.unserved_tpm();
	if (tpm != nullptr && !machine.current().empty()) {
		auto finding = tpm_not_hwrng(machine, *tpm);
		finding.severity = Severity::note;
		finding.text += "; the kernel has another hwrng";
		findings.push_back(std::move(finding));
	}
	const auto served = [](const Tpm &one) { return one.version == "2.0" && one.hwrng; };
	if (machine.saw.rngd_installed && std::ranges::any_of(machine.has.tpms, served))
		findings.push_back({.id = "rngd-tpm-disabled",
		                    .severity = Severity::note,
		                    .text = "rngd lists its source \"tpm\" as disabled: that is for TPM "
		                            "1.2; the kernel's hwrng serves yours"});
}

/// The gravest first; of those of a kind, the order stays.
std::vector<Finding> by_severity(std::vector<Finding> findings)
{
	std::vector<Finding> ordered;
	ordered.reserve(findings.size());
	for (const auto severity : {Severity::problem, Severity::warning, Severity::note})
		for (auto &finding : findings)
			if (finding.severity == severity)
				ordered.push_back(std::move(finding));
	return ordered;
}

} // namespace

const char *name(Severity severity)
{
	switch (severity) {
	case Severity::problem:
		return "problem";
	case Severity::warning:
		return "warning";
	case Severity::note:
		break;
	}
	return "note";
}

const char *name(Certainty certainty)
{
	return certainty == Certainty::certain ? "certain" : "likely";
}

std::vector<Finding> diagnose(const Inventory &inventory, const Surroundings &around,
                              const Symptoms &symptoms)
{
	const Machine machine(inventory, around, symptoms);
	if (symptoms.container)
		return {{.id = "container",
		         .severity = Severity::note,
		         .text =
		             "This is a container: the pool and the hardware are its host's, and hwrngd "
		             "is not needed in here",
		         .evidence = {{"/proc/self/ns/pid", "not the host's, or marked as a container"}},
		         .remedy = {{"run it on the host (in Kubernetes: on the node)"}}}};
	std::vector<Finding> findings;
	if (machine.current().empty())
		findings.push_back(why_no_hwrng(machine));
	else if (auto ill = ill_hwrng(machine))
		findings.push_back(std::move(*ill));
	if (!inventory.crng_ready)
		findings.push_back({.id = "crng-not-ready",
		                    .text = "The CRNG is not ready, and what needs it waits",
		                    .evidence = {{"getrandom(2)", "not yet"}},
		                    .remedy = {{"feed it", "hwrngctl feed --once"}}});
	add_load(machine, findings);
	add_feeders(machine, findings);
	add_asked_modules(machine, findings);
	add_services(machine, findings);
	add_platform(machine, findings);
	add_notes(machine, findings);
	return by_severity(std::move(findings));
}

} // namespace hwrngd
