// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/diagnosis.h"

#include "base/shell_word.h"
#include "doctor/hwrng.h"

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>

#include <fmt/ranges.h>

namespace hwrngd {

using diagnosis::Machine;

namespace {

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
	if (machine.unserved_tpm() != nullptr && machine.is_real_amd_ftpm())
		return "tpm_rng is asked for; there is no such module, and it would leave this TPM alone, "
		       "which seems to be a firmware TPM of AMD";
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
		if (!old_pi && machine.unserved_tpm() != nullptr && !machine.is_real_amd_ftpm())
			finding.remedy = {{"install it", "apt install hwrngd-dkms"}};
		else
			finding.remedy = {
			    {"no longer ask for it",
			     fmt::format("sed -i '/^[[:space:]]*{}/d' {}",
			                 old_pi ? "bcm2708[-_]rng" : "tpm[-_]rng", for_shell(asked.where))}};
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
		     .evidence = {saw.status_socket.empty()
		                      ? Evidence{"/proc", "no process hwrngd"}
		                      : Evidence{saw.status_socket, "nobody listens"}},
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
	if (saw.rngd_installed && current.empty() && !machine.around.feeds("rngd"))
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
			// Jitter the kernel has without us.
			return source.kind != SourceKind::jitter && source.absent.empty();
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

/// A firmware TPM of AMD in use. Kernels since 6.1 serve none; what they serve is another kind.
void add_amd_ftpm(const Machine &machine, std::vector<Finding> &findings)
{
	const auto current = machine.current();
	const auto &kernel = machine.has.kernel;
	if (!machine.is_real_amd_ftpm() || !current.starts_with("tpm-rng") ||
	    !(kernel.starts_with("4.") || kernel.starts_with("5.")))
		return;
	Finding finding{
	    .id = "amd-ftpm",
	    .severity = Severity::warning,
	    .certainty = Certainty::likely,
	    .text = fmt::format("{} seems to be a firmware TPM of AMD, reads of which make the whole "
	                        "machine stutter",
	                        current),
	    .evidence = {machine.seen_current(), {"/proc/sys/kernel/osrelease", kernel}},
	    .remedy = machine.use_another()};
	finding.remedy.push_back({"or a firmware that is newer than AGESA 1.2.0.7, or a kernel of 6.1 "
	                          "or later, which leaves it alone"});
	findings.push_back(std::move(finding));
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
		for (const auto &[file, line] : saw.monitors) {
			const auto command =
			    line == "installed"
			        ? "rm " + file
			        : fmt::format("sed -i '/entropy/s/^[^#]/#&/' {}", for_shell(file));
			// A file may have several lines of it.
			if (std::ranges::find(finding.remedy, command, &Advice::command) ==
			    finding.remedy.end())
				finding.remedy.push_back({"no longer watch it", command});
		}
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
		                            "1.2; the kernel's hwrng serves yours",
		                    .evidence = {machine.seen_available()}});
	const auto *tpm = machine.unserved_tpm();
	if (tpm != nullptr && !machine.current().empty()) {
		auto finding = tpm_not_hwrng(machine, *tpm);
		finding.severity = Severity::note;
		finding.text += "; the kernel has another hwrng";
		// Whoever asks for the module has been told.
		if (std::ranges::find(findings, finding.id, &Finding::id) == findings.end())
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

std::vector<Finding> diagnose(const Inventory &inventory, const Environment &around,
                              const Facts &facts)
{
	const Machine machine(inventory, around, facts);
	if (facts.container)
		return {{.id = "container",
		         .severity = Severity::note,
		         .text =
		             "This is a container: the pool and the hardware are its host's, and hwrngd "
		             "is not needed in here",
		         .evidence = {*facts.container},
		         .remedy = {{"run it on the host (in Kubernetes: on the node)"}}}};
	if (const auto &missing = facts.not_mounted; !missing.empty())
		return {{.id = "not-mounted",
		         .text = fmt::format("/{} is not mounted here, as in a chroot: what this machine "
		                             "has cannot be seen",
		                             missing),
		         .evidence = {{"/" + missing, "not mounted"}},
		         .remedy = {{"mount it", missing == "sys" ? "mount -t sysfs sysfs /sys"
		                                                  : "mount -t proc proc /proc"}}}};
	std::vector<Finding> findings;
	auto hwrng =
	    machine.current().empty() ? std::optional(why_no_hwrng(machine)) : ill_hwrng(machine);
	add_crng(machine, hwrng, findings);
	if (hwrng) {
		// Who is ready in time needs no more; who wants more, or reads /dev/hwrng, does.
		if (machine.current().empty() && machine.has.new_random_device() && findings.empty()) {
			hwrng->severity = Severity::warning;
			hwrng->text += "; the CRNG is ready without it";
		}
		findings.push_back(std::move(*hwrng));
	} else {
		add_amd_ftpm(machine, findings);
	}
	add_load(machine, findings);
	add_feeders(machine, findings);
	add_asked_modules(machine, findings);
	add_services(machine, findings);
	add_platform(machine, findings);
	add_notes(machine, findings);
	return by_severity(std::move(findings));
}

} // namespace hwrngd
