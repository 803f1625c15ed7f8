// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/diagnosis.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>

#include <fmt/ranges.h>

namespace hwrngd {

using std::string_view_literals::operator""sv;

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
		if (state == nullptr || state->loaded || state->builtin || !state->path)
			return false;
		if (saw.modules_disabled)
			return true;
		if (!saw.refusal)
			return false;
		return !state->signer || std::ranges::any_of(saw.messages, [](const Evidence &message) {
			return message.value.contains("rejected");
		});
	}

	/// Can its CPU be made a hwrng?
	[[nodiscard]] bool has_cpu_rng() const
	{
		return !has.cpu_instructions.empty() && has_module("cpu_rng") && !refused("cpu_rng");
	}

	/// What tells that a TPM gives no random bytes: itself, or tpm_rng, which does not offer it.
	[[nodiscard]] const Evidence *no_bytes(const Tpm &tpm) const
	{
		const auto about = [](const std::vector<Evidence> &seen, const std::string &folder) {
			const auto found = std::ranges::find_if(
			    seen, [&](const Evidence &one) { return one.where.contains(folder); });
			return found == seen.end() ? nullptr : &*found;
		};
		const auto *own = about(saw.inactive_tpms, fmt::format("/{}/", tpm.name));
		return own != nullptr
		           ? own
		           : about(saw.waiting_tpms, fmt::format("/tpm_rng.{}/", tpm.name.substr(3)));
	}

	/// Adds what the kernel's log has with one of these words.
	void add_messages(std::span<const std::string_view> words, Finding &finding) const
	{
		for (const auto &message : saw.messages)
			if (std::ranges::any_of(words, [&](auto word) { return message.value.contains(word); }))
				finding.evidence.push_back(message);
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

	/// The module in which whoever reads a silent hwrng waits; empty if it is not known. It need
	/// not be that of the hwrng in use: with a reader inside, a choice of another one helps nobody.
	[[nodiscard]] std::string silent_driver() const
	{
		if (!saw.stuck_readers.empty())
			return saw.stuck_readers.front().value;
		return current().starts_with("virtio_rng.") ? "virtio_rng" : "";
	}

	/// From a silent hwrng to another one.
	[[nodiscard]] std::vector<Advice> unload_silent() const
	{
		const auto driver = silent_driver();
		if (driver.empty())
			return use_another();
		const auto is_its = [&](const std::string &name) { return name.starts_with(driver + "."); };
		std::vector<Advice> steps;
		if (has.hwrng && std::ranges::all_of(has.hwrng->available, is_its)) {
			const auto *tpm = unserved_tpm();
			if (tpm != nullptr && has_module("tpm_rng") && !refused("tpm_rng") && !saw.amd_ftpm)
				steps = {{"make the TPM a hwrng", "hwrngctl load tpm"}, keep_loaded("tpm_rng")};
			else if (has_cpu_rng())
				steps = serve_the_cpu();
		}
		steps.push_back({"unload the driver, in which readers wait", "modprobe -r " + driver});
		steps.push_back({"and leave it out at every boot",
		                 fmt::format("echo 'blacklist {0}' >/etc/modprobe.d/{0}.conf", driver)});
		if (driver == "virtio_rng")
			steps.push_back(
			    {"or have the host give it bytes: look at the backend of this machine's "
			     "virtio-rng"});
		return steps;
	}

	/// From the hwrng in use to a better one.
	[[nodiscard]] std::vector<Advice> use_another() const
	{
		if (const auto other = other_hwrng())
			return {{"use the other one", "hwrngctl select " + *other}};
		if (const auto *tpm = unserved_tpm();
		    tpm != nullptr && has_module("tpm_rng") && !refused("tpm_rng") && !saw.amd_ftpm)
			return {{"make the TPM a hwrng", "hwrngctl load tpm"},
			        keep_loaded("tpm_rng"),
			        {"use it", "hwrngctl select tpm_rng." + tpm->name.substr(3)}};
		if (has_cpu_rng()) {
			auto steps = serve_the_cpu();
			steps.push_back(
			    {"use them", "hwrngctl select cpu_rng." + has.cpu_instructions.front()});
			return steps;
		}
		if (has.hwrng && has.hwrng->can_select_none)
			return {{"have the kernel use none", "hwrngctl select none"}};
		return {{"unload its driver (`ls -l /sys/class/misc/hw_random` and dmesg tell which)"}};
	}
};

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
			// It was told otherwise when it was loaded.
			if (const auto *module = machine.module("tpm_rng"); module != nullptr && module->loaded)
				finding.remedy.push_back({"unload it", "hwrngctl unload tpm"});
			finding.remedy.push_back({"load it", "hwrngctl load tpm"});
			finding.remedy.push_back(keep_loaded("tpm_rng"));
		} else {
			if (machine.has_cpu_rng())
				finding.remedy = serve_the_cpu();
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
		if (machine.has_cpu_rng())
			std::ranges::copy(serve_the_cpu(), std::back_inserter(finding.remedy));
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

/// A TPM that the firmware's tables have and the kernel has not.
std::optional<Finding> hidden_tpm(const Machine &machine)
{
	const auto is_tpm = [](const Evidence &device) { return device.value.starts_with("TPM"); };
	if (!machine.saw.tpm_table || !machine.has.tpms.empty() ||
	    std::ranges::any_of(machine.saw.idle_devices, is_tpm))
		return std::nullopt;
	return Finding{.id = "tpm-hidden",
	               .certainty = Certainty::likely,
	               .text = "The firmware's tables tell of a TPM, and the kernel has found none: as "
	                       "a rule it is switched off in the firmware's set-up",
	               .evidence = {*machine.saw.tpm_table, {"/sys/class/tpm", "no TPM"}},
	               .remedy = get_a_source("")};
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
	if (auto hidden = hidden_tpm(machine); hidden && !machine.has_cpu_rng())
		return *hidden;
	finding.evidence.push_back(machine.seen_available());
	finding.text = has.hwrng ? "No hardware RNG is known to the kernel: a read of /dev/hwrng ends "
	                           "with \"No such device\""
	                         : "The kernel's hwrng framework is not loaded, or not built";
	if (machine.has_cpu_rng()) {
		finding.text += "; the CPU could be one";
		finding.remedy = serve_the_cpu();
		return finding;
	}
	if (const auto *module = machine.module("cpu_rng");
	    !has.cpu_instructions.empty() && module != nullptr && machine.refused("cpu_rng"))
		return modules_refused(machine, *module);
	finding.remedy = get_a_source(machine.saw.hypervisor);
	return finding;
}

/// What is wrong with the hwrng in use.
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

/// A thread or daemon that takes a whole CPU. Where the driver of the hwrng is why, that was found
/// already, and this is more evidence of it.
void add_load(const Machine &machine, std::vector<Finding> &findings)
{
	constexpr double much = 0.8;
	const auto driver = std::ranges::find_if(findings, [](const Finding &finding) {
		return finding.id == "hwrng-returns-nothing" || finding.id == "hwrng-silent" ||
		       finding.id == "amd-ccp";
	});
	for (const auto &[feeder, share] : machine.saw.busy) {
		const bool thread = feeder.name == "hwrng";
		if (share < much || (!thread && feeder.name != "rngd"))
			continue;
		const Evidence seen{fmt::format("/proc/{}/stat", feeder.pid),
		                    fmt::format("{} takes {:.0f} % of a CPU", feeder.name, share * 100)};
		if (driver != findings.end()) {
			driver->evidence.push_back(seen);
			if (thread && driver->id == "hwrng-silent") {
				driver->id = "hwrng-thread-spins";
				driver->text += ": its driver does not wait for the device, and has the kernel's "
				                "hwrng thread take a whole CPU";
			}
			continue;
		}
		Finding finding{.id = thread ? "hwrng-thread-spins" : "rngd-spins",
		                .certainty = Certainty::likely,
		                .text =
		                    thread ? "The kernel's hwrng thread takes a whole CPU: the driver of " +
		                                 machine.current() + " does not wait for its device"
		                           : "rngd takes a whole CPU: its jitter source, as a rule",
		                .evidence = {seen}};
		if (thread)
			finding.remedy = machine.use_another();
		else
			finding.remedy = {{"start rngd with -x jitter, or have hwrngd in its place"}};
		findings.push_back(std::move(finding));
		break; // those after it may well spin for it
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
		findings.push_back(
		    {.id = "rngd-no-source",
		     .severity = Severity::warning,
		     .certainty = Certainty::likely,
		     .text = "rngd has no hwrng to read, for the reason above; it says \"can't open any "
		             "entropy source\" or \"No entropy sources working\"",
		     .evidence = {machine.seen_current()},
		     .remedy = {{"do what is said above, and start rngd again"}}});
}

/// Is the CRNG ready, and was it in time? `hwrng`: what is wrong with that.
void add_crng(const Machine &machine, const std::optional<Finding> &hwrng,
              std::vector<Finding> &findings)
{
	constexpr double long_wait = 30;
	const double ready_after = machine.saw.ready_after.value_or(0);
	const auto current = machine.current();
	if (!machine.has.crng_ready) {
		Finding finding{.id = "crng-not-ready",
		                .text = "The CRNG is not ready, and what needs it waits",
		                .evidence = {{"getrandom(2)", "not yet"}}};
		const auto is_hardware = [](const SourceInfo &source) {
			return source.kind != SourceKind::jitter; // the kernel has that without us
		};
		if (std::ranges::any_of(machine.has.sources, is_hardware))
			finding.remedy = {{"feed it", "hwrngctl feed --once"}};
		else
			finding.remedy = {{"have the kernel collect the CPU's timing jitter, as it does while "
			                   "somebody waits (since Linux 5.4)",
			                   "head -c 1 /dev/random >/dev/null"}};
		findings.push_back(std::move(finding));
	} else if (ready_after > long_wait) {
		Finding finding{.id = "slow-boot",
		                .severity = Severity::warning,
		                .text = "The CRNG was ready late, and what needs it at boot waited",
		                .evidence = {{"the kernel's log",
		                              fmt::format("crng init done after {:.0f} s", ready_after)},
		                             machine.seen_current()}};
		if (current.empty() && hwrng) {
			finding.severity = Severity::problem;
			finding.text += "; so will the next boot, since the kernel has no hwrng";
			finding.remedy = hwrng->remedy;
		} else if (current.starts_with("tpm_rng.") || current.starts_with("cpu_rng.")) {
			// Made one since then, by what we advise.
			finding.severity = Severity::note;
			finding.text +=
			    fmt::format("; {}, if it is loaded at boot, feeds the next one", current);
		} else {
			finding.remedy = {
			    {fmt::format("have the driver of {} loaded earlier, from the "
			                 "initramfs (on Debian: its name into "
			                 "/etc/initramfs-tools/modules, then update-initramfs -u)",
			                 current)}};
		}
		findings.push_back(std::move(finding));
	}
}

void add_platform(const Machine &machine, std::vector<Finding> &findings)
{
	const auto &saw = machine.saw;
	Finding erratum{.id = "cpu-erratum",
	                .severity = Severity::note,
	                .text = "An instruction of this CPU is known not to be random, and is not used",
	                .remedy = {{"newer microcode mends some (on Debian: apt install "
	                            "amd64-microcode, and reboot); nothing else needs doing"}}};
	machine.add_messages(cpu_erratum_words, erratum);
	if (!erratum.evidence.empty())
		findings.push_back(erratum);
	// What the kernel hides is not the hypervisor's doing.
	if (erratum.evidence.empty() && !saw.hypervisor.empty() &&
	    machine.has.cpu_instructions.empty() && machine.has.architecture == "x86_64")
		findings.push_back(
		    {.id = "cpu-instructions-hidden",
		     // It is not missed where there is something better.
		     .severity = machine.current().empty() ? Severity::warning : Severity::note,
		     .certainty = Certainty::likely,
		     .text = "The CPU shows neither RDRAND nor RDSEED: the hypervisor's CPU "
		             "model hides them",
		     .evidence = {{"/proc/cpuinfo", "flags without rdrand and rdseed"}},
		     .remedy = {{"on the host, with libvirt: virt-xml NAME --edit --cpu "
		                 "host-passthrough"}}});
	if (!saw.monitors.empty() && machine.has.new_random_device()) {
		Finding finding{.id = "entropy-avail-watched",
		                .severity = Severity::warning,
		                .certainty = Certainty::likely,
		                .text = "A monitor watches entropy_avail, which tells nothing since Linux "
		                        "5.18: it stays at 256",
		                .evidence = saw.monitors};
		for (const auto &[file, line] : saw.monitors)
			finding.remedy.push_back({"no longer watch it",
			                          line == "installed"
			                              ? "rm " + file
			                              : fmt::format("sed -i '/entropy/s/^[^#]/#&/' {}", file)});
		finding.remedy.push_back({"have the monitor read its configuration anew"});
		findings.push_back(std::move(finding));
	}
}

void add_notes(const Machine &machine, std::vector<Finding> &findings)
{
	const auto served = [](const Tpm &one) { return one.version == "2.0" && one.hwrng; };
	if (machine.saw.rngd_installed && std::ranges::any_of(machine.has.tpms, served))
		findings.push_back({.id = "rngd-tpm-disabled",
		                    .severity = Severity::note,
		                    .text = "rngd lists its source \"tpm\" as disabled: that is for TPM "
		                            "1.2; the kernel's hwrng serves yours"});
	const auto *tpm = machine.unserved_tpm();
	if (tpm != nullptr && !machine.current().empty()) {
		auto finding = tpm_not_hwrng(machine, *tpm);
		finding.severity = Severity::note;
		finding.text += "; the kernel has another hwrng";
		findings.push_back(std::move(finding));
	}
	if (!machine.saw.fips_failures.empty())
		findings.push_back(
		    {.id = "fips-failures",
		     .severity = Severity::note,
		     .text = "Some blocks failed FIPS 140-2's tests, as about one in a thousand of "
		             "a perfect source does; hwrngd tells what is too much",
		     .evidence = machine.saw.fips_failures});
	if (auto hidden = hidden_tpm(machine);
	    hidden && std::ranges::find(findings, hidden->id, &Finding::id) == findings.end()) {
		hidden->severity = Severity::note;
		findings.push_back(std::move(*hidden));
	}
	if (machine.has.new_random_device() && machine.has.entropy_available == machine.has.pool_size)
		findings.push_back(
		    {.id = "entropy-avail-256",
		     .severity = Severity::note,
		     .text = "256 bits are all that the pool holds since Linux 5.18; it is full",
		     .evidence = {{"/proc/sys/kernel/random/entropy_avail", "256"}}});
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
	auto hwrng =
	    machine.current().empty() ? std::optional(why_no_hwrng(machine)) : ill_hwrng(machine);
	add_crng(machine, hwrng, findings);
	if (hwrng)
		findings.push_back(std::move(*hwrng));
	add_load(machine, findings);
	add_feeders(machine, findings);
	add_asked_modules(machine, findings);
	add_services(machine, findings);
	add_platform(machine, findings);
	add_notes(machine, findings);
	return by_severity(std::move(findings));
}

} // namespace hwrngd
