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

/// A thread or daemon that keeps a whole CPU busy. If a finding already blames the hwrng's driver,
/// this is added to that finding as evidence.
void add_load(const Machine &machine, std::vector<Finding> &findings)
{
	constexpr double much = 0.8;
	const auto driver = std::ranges::find_if(findings, [](const Finding &finding) {
		return finding.id == "hwrng-returns-nothing" || finding.id == "hwrng-silent" ||
		       finding.id == "amd-ccp";
	});
	for (const auto &[feeder, share] : machine.facts.busy) {
		const bool thread = feeder.name == "hwrng";
		if (share < much || (!thread && feeder.name != "rngd"))
			continue;
		const Evidence seen{fmt::format("/proc/{}/stat", feeder.pid),
		                    fmt::format("{} uses {:.0f} % of a CPU", feeder.name, share * 100)};
		if (driver != findings.end()) {
			driver->evidence.push_back(seen);
			if (thread && driver->id == "hwrng-silent") {
				driver->id = "hwrng-thread-spins";
				driver->text += ": its driver does not wait for the device, so the kernel's "
				                "hwrng thread keeps a whole CPU busy";
			}
			continue;
		}
		Finding finding{
		    .id = thread ? "hwrng-thread-spins" : "rngd-spins",
		    .certainty = Certainty::likely,
		    .text = thread ? "The kernel's hwrng thread keeps a whole CPU busy: the driver of " +
		                         machine.current() + " does not wait for its device"
		                   : "rngd keeps a whole CPU busy, usually with its jitter source",
		    .evidence = {seen}};
		if (thread)
			finding.remedy = machine.use_another();
		else
			finding.remedy = {{"start rngd with -x jitter, or use hwrngd instead"}};
		findings.push_back(std::move(finding));
		break; // the others may be busy for the same reason
	}
}

void add_feeders(const Machine &machine, std::vector<Finding> &findings)
{
	std::map<std::string, Feeder> feeders; // one for each name
	Finding finding{.id = "two-feeders", .severity = Severity::warning, .text = {}};
	for (const auto &feeder : machine.around.feeders)
		if (feeder.name != "hwrng" && feeders.emplace(feeder.name, feeder).second)
			finding.evidence.push_back({fmt::format("/proc/{}/comm", feeder.pid), feeder.name});
	if (feeders.size() < 2)
		return;
	const auto names = std::views::keys(feeders);
	finding.text = fmt::format("{} feed the same pool; one is enough, and the others waste memory "
	                           "and CPU time",
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

/// Why `module`, which is configured to be loaded at boot, cannot be loaded.
const char *why_missing(const Machine &machine, const std::string &module)
{
	if (module == "bcm2708_rng")
		return "bcm2708_rng is configured to be loaded at boot, but it no longer exists: the "
		       "kernel loads bcm2835_rng or iproc_rng200 by itself";
	if (machine.unserved_tpm() != nullptr && machine.is_real_amd_ftpm())
		return "tpm_rng is configured to be loaded at boot, but it is not installed; it would not "
		       "serve this TPM anyway, because that seems to be an AMD firmware TPM";
	if (machine.unserved_tpm() != nullptr)
		return "tpm_rng is configured to be loaded at boot, but it is not installed for this "
		       "kernel";
	if (machine.inventory.tpms.empty())
		return "tpm_rng is configured to be loaded at boot, but it is not installed, and there is "
		       "no TPM that it could serve";
	return "tpm_rng is configured to be loaded at boot, but it is no longer part of the kernel "
	       "and is not needed: the kernel serves the TPM by itself";
}

void add_boot_modules(const Machine &machine, std::vector<Finding> &findings)
{
	for (const auto &entry : machine.facts.boot_modules) {
		const bool old_pi = entry.value == "bcm2708_rng";
		if (!old_pi &&
		    (machine.has_module("tpm_rng") ||
		     std::ranges::find(findings, "tpm-rng-module-missing", &Finding::id) != findings.end()))
			continue;
		Finding finding{.id = old_pi ? "raspberry-pi-module" : "tpm-rng-module-missing",
		                .severity = Severity::warning,
		                .text = {},
		                .evidence = {entry, machine.seen_available()}};
		if (!machine.facts.board.empty())
			finding.evidence.push_back({"/proc/device-tree/model", machine.facts.board});
		finding.text = why_missing(machine, entry.value);
		if (!old_pi && machine.unserved_tpm() != nullptr && !machine.is_real_amd_ftpm())
			finding.remedy = {{"install tpm_rng", "apt install hwrngd-dkms"}};
		else
			finding.remedy = {
			    {"stop loading it at boot",
			     fmt::format("sed -i '/^[[:space:]]*{}/d' {}",
			                 old_pi ? "bcm2708[-_]rng" : "tpm[-_]rng", for_shell(entry.where))}};
		findings.push_back(std::move(finding));
	}
}

void add_services(const Machine &machine, std::vector<Finding> &findings)
{
	const auto &facts = machine.facts;
	const auto current = machine.current();
	if (facts.hwrngd_installed && facts.systemd && !facts.hwrngd_runs)
		findings.push_back(
		    {.id = "hwrngd-stopped",
		     .severity = Severity::warning,
		     .text = "hwrngd is installed but not running",
		     .evidence = {facts.status_socket.empty()
		                      ? Evidence{"/proc", "no process named hwrngd"}
		                      : Evidence{facts.status_socket, "no process listens"}},
		     .remedy = {{"start it now and at every boot", "systemctl enable --now hwrngd"}}});
	if (machine.inventory.hwrng && machine.inventory.hwrng->selected && !current.empty() &&
	    !facts.kept_rng && !facts.hwrngd_runs)
		findings.push_back({.id = "choice-not-kept",
		                    .severity = Severity::warning,
		                    .text = fmt::format("{} was selected, but the selection is lost at the "
		                                        "next boot",
		                                        current),
		                    .evidence = {{"/sys/class/misc/hw_random/rng_selected", "1"}},
		                    .remedy = {{"have hwrngd keep the selection",
		                                fmt::format("hwrngctl select {} --persist", current)}}});
	for (const auto &source : facts.quarantined_sources)
		findings.push_back(
		    {.id = "source-quarantined",
		     .severity = Severity::warning,
		     .text = source.where + " failed hwrngd's tests and is not used",
		     .evidence = {source},
		     .remedy = {{"test it again", "hwrngctl test --source " + source.where}}});
	if (facts.rngd_installed && current.empty() && !machine.around.feeds("rngd"))
		findings.push_back(
		    {.id = "rngd-no-source",
		     .severity = Severity::warning,
		     .certainty = Certainty::likely,
		     .text = "rngd has no hwrng to read, for the reason above; it reports \"can't open any "
		             "entropy source\" or \"No entropy sources working\"",
		     .evidence = {machine.seen_current()},
		     .remedy = {{"solve the problem above, then restart rngd"}}});
}

/// Is the CRNG ready, and was it ready in time? `hwrng`: the finding about the hwrng, if any.
void add_crng(const Machine &machine, const std::optional<Finding> &hwrng,
              std::vector<Finding> &findings)
{
	constexpr double long_wait = 30;
	const double ready_after = machine.facts.ready_after.value_or(0);
	const auto current = machine.current();
	if (!machine.inventory.crng_ready) {
		Finding finding{.id = "crng-not-ready",
		                .text = "The CRNG is not ready: programs that need it wait",
		                .evidence = {{"getrandom(2)", "not ready yet"}}};
		const auto is_hardware = [&](const SourceInfo &source) {
			const auto &uncredited = machine.facts.uncredited;
			// The kernel can collect jitter without hwrngd.
			return source.kind != SourceKind::jitter && source.absent.empty() &&
			       std::ranges::find(uncredited, source.name, &Evidence::where) == uncredited.end();
		};
		if (std::ranges::any_of(machine.inventory.sources, is_hardware))
			finding.remedy = {{"feed it", "hwrngctl feed --once"}};
		else
			finding.remedy = {{"have the kernel collect the CPU's timing jitter, which it does "
			                   "while a program waits (since Linux 5.4)",
			                   "head -c 1 /dev/random >/dev/null"}};
		findings.push_back(std::move(finding));
	} else if (ready_after > long_wait) {
		Finding finding{.id = "slow-boot",
		                .severity = Severity::warning,
		                .text =
		                    "The CRNG became ready late: programs that need it at boot had to wait",
		                .evidence = {{"the kernel's log",
		                              fmt::format("crng init done after {:.0f} s", ready_after)},
		                             machine.seen_current()}};
		if (current.empty() && hwrng) {
			finding.severity = Severity::problem;
			finding.text += "; the next boot will be as slow, because the kernel has no hwrng";
			finding.remedy = hwrng->remedy;
		} else if (current.starts_with("tpm_rng.") || current.starts_with("cpu_rng.")) {
			// This hwrng was probably added after the slow boot, on our advice.
			finding.severity = Severity::note;
			finding.text +=
			    fmt::format("; at the next boot, {} feeds it if its module is loaded", current);
		} else {
			finding.remedy = {
			    {fmt::format("load the driver of {} earlier, from the initramfs (on Debian: add "
			                 "its name to /etc/initramfs-tools/modules, then run "
			                 "update-initramfs -u)",
			                 current)}};
		}
		findings.push_back(std::move(finding));
	}
}

/// An AMD firmware TPM in use. Since Linux 6.1, the kernel does not serve these TPMs; one that it
/// serves is of another kind.
void add_amd_ftpm(const Machine &machine, std::vector<Finding> &findings)
{
	const auto current = machine.current();
	const auto &kernel = machine.inventory.kernel;
	if (!machine.is_real_amd_ftpm() || !current.starts_with("tpm-rng") ||
	    !(kernel.starts_with("4.") || kernel.starts_with("5.")))
		return;
	Finding finding{.id = "amd-ftpm",
	                .severity = Severity::warning,
	                .certainty = Certainty::likely,
	                .text = fmt::format(
	                    "{} seems to be an AMD firmware TPM; reading it makes the whole machine "
	                    "stutter",
	                    current),
	                .evidence = {machine.seen_current(), {"/proc/sys/kernel/osrelease", kernel}},
	                .remedy = machine.use_another()};
	finding.remedy.push_back({"or install a firmware newer than AGESA 1.2.0.7, or Linux 6.1 or "
	                          "later, which does not read it"});
	findings.push_back(std::move(finding));
}

/// Sources that their modules have given up, unless an earlier finding is about them.
void add_withdrawn(const Machine &machine, std::vector<Finding> &findings)
{
	for (const auto &source : machine.around.module_sources) {
		if (!source.withdrawn())
			continue;
		const auto is_it = [&](const Finding &finding) {
			return finding.id == "hwrng-withdrawn" && finding.evidence.front().where == source.file;
		};
		if (std::ranges::none_of(findings, is_it))
			findings.push_back(withdrawn(machine, source));
	}
}

/// Sources that earn no credit because the kernel does not trust the CPU.
void add_distrust(const Machine &machine, std::vector<Finding> &findings)
{
	const auto &why = machine.inventory.cpu_distrust;
	std::vector<std::string> names;
	for (const auto &[name, reason] : machine.facts.uncredited)
		if (reason == why)
			names.push_back(name);
	if (names.empty())
		return;
	findings.push_back(
	    {.id = "cpu-not-trusted",
	     .severity = Severity::note,
	     .text =
	         fmt::format("{}, so hwrngd does not credit the CPU ({})", why, fmt::join(names, ", ")),
	     .evidence = {{"/proc/cmdline", why}},
	     .remedy = {{"if you do trust it, boot with random.trust_cpu=on, or set `credit` for these "
	                 "sources in hwrngd.conf; nothing else needs doing"}}});
}

void add_platform(const Machine &machine, std::vector<Finding> &findings)
{
	const auto &facts = machine.facts;
	Finding erratum{
	    .id = "cpu-erratum",
	    .severity = Severity::note,
	    .text = "An instruction of this CPU is known to return bad random numbers and is not used",
	    .remedy = {
	        {facts.hypervisor.empty()
	             ? "newer microcode fixes some CPUs (on Debian: apt install "
	               "amd64-microcode, then reboot); nothing else needs doing"
	             : "newer microcode on the host fixes some CPUs; nothing else needs doing"}}};
	for (const auto &[name, why] : machine.inventory.faulty_instructions)
		erratum.evidence.push_back({"/proc/cpuinfo", fmt::format("{}: {}", name, why)});
	machine.add_messages(cpu_erratum_words, erratum);
	if (!erratum.evidence.empty())
		findings.push_back(erratum);
	// If the kernel hides an instruction, or we do not use it, the hypervisor is not to blame.
	if (erratum.evidence.empty() && !facts.hypervisor.empty() &&
	    machine.inventory.cpu_instructions.empty() && machine.inventory.architecture == "x86_64")
		findings.push_back(
		    {.id = "cpu-instructions-hidden",
		     // The instructions are not needed if there is a better source.
		     .severity = machine.current().empty() ? Severity::warning : Severity::note,
		     .certainty = Certainty::likely,
		     .text = "The CPU offers neither RDRAND nor RDSEED: the hypervisor's CPU model hides "
		             "them",
		     .evidence = {{"/proc/cpuinfo", "the flags lack rdrand and rdseed"}},
		     .remedy = {{"on the host, with libvirt: virt-xml NAME --edit --cpu "
		                 "host-passthrough"}}});
	if (!facts.monitors.empty() && machine.inventory.new_random_device()) {
		Finding finding{.id = "entropy-avail-watched",
		                .severity = Severity::warning,
		                .certainty = Certainty::likely,
		                .text = "A monitor watches entropy_avail, which means nothing since Linux "
		                        "5.18: it stays at 256",
		                .evidence = facts.monitors};
		for (const auto &[file, line] : facts.monitors) {
			const auto command =
			    line == "installed"
			        ? "rm " + file
			        : fmt::format("sed -i '/entropy/s/^[^#]/#&/' {}", for_shell(file));
			// A file may have several such lines.
			if (std::ranges::find(finding.remedy, command, &Advice::command) ==
			    finding.remedy.end())
				finding.remedy.push_back({"stop watching it", command});
		}
		finding.remedy.push_back({"make the monitor reload its configuration"});
		findings.push_back(std::move(finding));
	}
}

void add_notes(const Machine &machine, std::vector<Finding> &findings)
{
	const auto served = [](const Tpm &one) { return one.version == "2.0" && one.hwrng; };
	if (machine.facts.rngd_installed && std::ranges::any_of(machine.inventory.tpms, served))
		findings.push_back({.id = "rngd-tpm-disabled",
		                    .severity = Severity::note,
		                    .text = "rngd lists its source \"tpm\" as disabled: that source is for "
		                            "TPM 1.2; your TPM is served as a hwrng of the kernel",
		                    .evidence = {machine.seen_available()}});
	const auto *tpm = machine.unserved_tpm();
	if (tpm != nullptr && !machine.current().empty()) {
		auto finding = tpm_not_hwrng(machine, *tpm);
		finding.severity = Severity::note;
		finding.text += "; the kernel has another hwrng";
		// The same finding exists already if the module is configured to be loaded at boot.
		if (std::ranges::find(findings, finding.id, &Finding::id) == findings.end())
			findings.push_back(std::move(finding));
	}
	if (!machine.facts.fips_failures.empty())
		findings.push_back(
		    {.id = "fips-failures",
		     .severity = Severity::note,
		     .text =
		         "Some blocks failed the FIPS 140-2 tests, which is normal: even with a perfect "
		         "source, about one in a thousand fails. hwrngd detects it if too many fail",
		     .evidence = machine.facts.fips_failures});
	if (auto hidden = hidden_tpm(machine);
	    hidden && std::ranges::find(findings, hidden->id, &Finding::id) == findings.end()) {
		hidden->severity = Severity::note;
		findings.push_back(std::move(*hidden));
	}
	if (machine.inventory.new_random_device() &&
	    machine.inventory.entropy_available == machine.inventory.pool_size)
		findings.push_back(
		    {.id = "entropy-avail-256",
		     .severity = Severity::note,
		     .text = "256 bits are all that the pool holds since Linux 5.18; it is full",
		     .evidence = {{"/proc/sys/kernel/random/entropy_avail", "256"}}});
}

/// The most severe first; findings of the same severity keep their order.
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
		return {
		    {.id = "container",
		     .severity = Severity::note,
		     .text =
		         "This is a container: the pool and the hardware belong to the host, and hwrngd "
		         "is not needed here",
		     .evidence = {*facts.container},
		     .remedy = {{"run doctor and hwrngd on the host (in Kubernetes: on the node)"}}}};
	if (const auto &missing = facts.not_mounted; !missing.empty())
		return {
		    {.id = "not-mounted",
		     .text = fmt::format("/{} is not mounted here, as in a chroot: the machine's hardware "
		                         "cannot be seen",
		                         missing),
		     .evidence = {{"/" + missing, "not mounted"}},
		     .remedy = {{"mount it", missing == "sys" ? "mount -t sysfs sysfs /sys"
		                                              : "mount -t proc proc /proc"}}}};
	std::vector<Finding> findings;
	auto hwrng =
	    machine.current().empty() ? std::optional(why_no_hwrng(machine)) : hwrng_fault(machine);
	add_crng(machine, hwrng, findings);
	if (hwrng) {
		// A machine whose CRNG was ready in time works without a hwrng. It needs one only for
		// /dev/hwrng, or as one more source.
		if (machine.current().empty() && machine.inventory.new_random_device() &&
		    findings.empty()) {
			hwrng->severity = Severity::warning;
			hwrng->text += "; the CRNG is ready without it";
		}
		findings.push_back(std::move(*hwrng));
	} else {
		add_amd_ftpm(machine, findings);
	}
	add_withdrawn(machine, findings);
	add_load(machine, findings);
	add_feeders(machine, findings);
	add_boot_modules(machine, findings);
	add_services(machine, findings);
	add_platform(machine, findings);
	add_distrust(machine, findings);
	add_notes(machine, findings);
	return by_severity(std::move(findings));
}

} // namespace hwrngd
