// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of `hwrngctl doctor`, for conditions that no guest can create.
#include "doctor/diagnosis.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

using namespace hwrngd;

namespace {

/// A machine that uses virtio-rng without any problem.
struct HealthyMachine {
	Inventory inventory;
	Environment around;
	Facts facts;

	HealthyMachine()
	{
		inventory.architecture = "x86_64";
		inventory.crng_ready = true;
		inventory.entropy_available = inventory.pool_size = 256;
		inventory.hwrng.emplace();
		inventory.hwrng->available = {"virtio_rng.0"};
		inventory.hwrng->current = "virtio_rng.0";
		inventory.hwrng->has_quality_file = true;
		inventory.cpu_instructions = {"rdrand"};
		facts.answer = HwrngAnswer::bytes;
	}

	/// Its first finding.
	[[nodiscard]] Finding first() const
	{
		const auto findings = diagnose(inventory, around, facts);
		return findings.empty() ? Finding{.id = "nothing", .text = {}} : findings.front();
	}

	/// The number of findings with that name.
	[[nodiscard]] auto count(const std::string &id) const
	{
		return std::ranges::count(diagnose(inventory, around, facts), id, &Finding::id);
	}
};

ModuleState loadable(const std::string &name)
{
	ModuleState module;
	module.name = name;
	module.path = "/" + name + ".ko";
	return module;
}

ModuleState loaded(const std::string &name)
{
	auto module = loadable(name);
	module.loaded = true;
	return module;
}

Tpm tpm(const std::string &version)
{
	Tpm one;
	one.name = "tpm0";
	one.version = version;
	return one;
}

SourceInfo source(const std::string &name, SourceKind kind)
{
	SourceInfo one;
	one.name = name;
	one.kind = kind;
	return one;
}

TEST(Diagnosis, AHealthyMachineHasOnlyNotes)
{
	const auto found = HealthyMachine().first();
	EXPECT_EQ(found.id, "entropy-avail-256");
	EXPECT_EQ(found.severity, Severity::note);
}

TEST(Diagnosis, AThreadThatKeepsACpuBusyIsReported)
{
	HealthyMachine machine;
	machine.inventory.hwrng->available.emplace_back("tpm-rng-0");
	machine.facts.busy = {{{"hwrng", 77, "", ""}, 0.97}};
	const auto found = machine.first();
	EXPECT_EQ(found.id, "hwrng-thread-spins");
	ASSERT_EQ(found.evidence.size(), 1U);
	EXPECT_EQ(found.evidence[0].value, "hwrng uses 97 % of a CPU");
	ASSERT_EQ(found.remedy.size(), 1U);
	EXPECT_EQ(found.remedy[0].command, "hwrngctl select tpm-rng-0");

	machine.facts.busy = {{{"hwrng", 77, "", ""}, 0.5}};
	EXPECT_EQ(machine.first().id, "entropy-avail-256");
	machine.facts.busy = {{{"rngd", 78, "", ""}, 1.0}};
	EXPECT_EQ(machine.first().id, "rngd-spins");
	machine.facts.busy = {{{"haveged", 78, "", ""}, 1.0}};
	EXPECT_EQ(machine.first().id, "entropy-avail-256")
	    << "it collects entropy, and is not a driver";
}

TEST(Diagnosis, AReaderThatSpinsIsEvidenceAgainstTheDriver)
{
	HealthyMachine machine;
	machine.facts.answer = HwrngAnswer::spins;
	machine.facts.busy = {{{"rngd", 78, "", ""}, 1.0}};
	auto found = machine.first();
	EXPECT_EQ(found.id, "hwrng-returns-nothing");
	EXPECT_EQ(found.evidence.back().value, "rngd uses 100 % of a CPU");
	for (const auto &finding : diagnose(machine.inventory, machine.around, machine.facts))
		EXPECT_NE(finding.id, "rngd-spins") << "its jitter source is not the cause";

	machine.facts.answer = HwrngAnswer::nothing;
	EXPECT_EQ(machine.first().id, "hwrng-silent");
	machine.facts.busy = {{{"hwrng", 77, "", ""}, 1.0}};
	found = machine.first();
	EXPECT_EQ(found.id, "hwrng-thread-spins");
	EXPECT_EQ(found.evidence.back().value, "hwrng uses 100 % of a CPU");
}

TEST(Diagnosis, TheCpuReplacesABadHwrng)
{
	HealthyMachine machine;
	machine.facts.answer = HwrngAnswer::equal_bytes;
	EXPECT_EQ(machine.first().remedy.at(0).command, "") << "there is no other source";
	machine.around.modules = {loadable("cpu_rng")};
	const auto found = machine.first();
	ASSERT_EQ(found.remedy.size(), 2U);
	EXPECT_EQ(found.remedy[0].command, "hwrngctl load cpu --persist");
	EXPECT_EQ(found.remedy[1].command, "hwrngctl select cpu_rng.rdrand");
}

TEST(Diagnosis, ACpuThatMustNotBeServedReplacesNoHwrng)
{
	HealthyMachine machine;
	machine.facts.answer = HwrngAnswer::equal_bytes;
	machine.around.modules = {loadable("cpu_rng")};
	machine.facts.why_not_cpu_rng = "no trust";
	EXPECT_EQ(machine.first().remedy.at(0).command, "");
	machine.inventory.hwrng->available.emplace_back("cpu_rng.rdrand");
	EXPECT_EQ(machine.first().remedy.at(0).command, "hwrngctl select cpu_rng.rdrand")
	    << "its credit is configured";
	machine.facts.uncredited = {{"cpu_rng.rdrand", "no trust"}};
	EXPECT_EQ(machine.first().remedy.at(0).command, "");
	machine.inventory.hwrng = HwrngState();
	EXPECT_EQ(machine.first().id, "no-hwrng");
	for (const auto &step : machine.first().remedy)
		EXPECT_FALSE(step.command.contains("cpu")) << step.command;
}

TEST(Diagnosis, ADriverInWhichReadersWaitIsUnloaded)
{
	HealthyMachine machine;
	machine.facts.answer = HwrngAnswer::nothing;
	machine.around.modules = {loadable("cpu_rng")};
	auto found = machine.first();
	EXPECT_EQ(found.id, "hwrng-silent");
	ASSERT_EQ(found.remedy.size(), 4U);
	EXPECT_EQ(found.remedy[0].command, "hwrngctl load cpu --persist");
	EXPECT_EQ(found.remedy[1].command, "modprobe -r virtio_rng");

	machine.inventory.hwrng->available.emplace_back("cpu_rng.rdrand");
	machine.inventory.hwrng->current = "cpu_rng.rdrand";
	machine.facts.stuck_readers = {{"/proc/5/task/5/stack", "virtio_rng"}};
	found = machine.first();
	EXPECT_EQ(found.evidence.back().value, "waits in virtio_rng");
	EXPECT_EQ(found.remedy.at(0).command, "modprobe -r virtio_rng")
	    << "the choice was made already, and does not help";
}

TEST(Diagnosis, ThatTheCrngIsNotReadyIsReportedFirst)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.crng_ready = false;
	EXPECT_EQ(machine.first().id, "crng-not-ready");
	EXPECT_EQ(machine.first().remedy.at(0).command, "head -c 1 /dev/random >/dev/null");
	machine.inventory.sources = {source("jitter", SourceKind::jitter)};
	EXPECT_EQ(machine.first().remedy.at(0).command, "head -c 1 /dev/random >/dev/null");
	machine.inventory.sources = {source("rdrand", SourceKind::cpu)};
	EXPECT_EQ(machine.first().remedy.at(0).command, "hwrngctl feed --once");
}

TEST(Diagnosis, AMachineThatIsReadyHasNoProblem)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	EXPECT_EQ(machine.first().id, "no-hwrng");
	EXPECT_EQ(machine.first().severity, Severity::warning);
	machine.facts.ready_after = 95;
	for (const auto &finding : diagnose(machine.inventory, machine.around, machine.facts))
		if (finding.id == "no-hwrng") {
			EXPECT_EQ(finding.severity, Severity::problem) << "the next boot will be late too";
		}
	machine.facts.ready_after.reset();
	machine.inventory.pool_size = 4096;
	EXPECT_EQ(machine.first().severity, Severity::problem) << "the old pool can run empty";
}

TEST(Diagnosis, AvailableHwrngsOfWhichNoneIsUsedAreOffered)
{
	HealthyMachine machine;
	machine.inventory.hwrng->current.clear();
	const auto found = machine.first();
	EXPECT_EQ(found.id, "no-hwrng");
	EXPECT_EQ(found.remedy.at(0).command, "hwrngctl select virtio_rng.0");
}

TEST(Diagnosis, ALoadedTpmModuleThatWaitsForItsTpmIsNotLoadedAgain)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.tpms = {tpm("1.2")};
	machine.around.modules = {loaded("tpm_rng"), loadable("cpu_rng")};
	EXPECT_EQ(machine.first().id, "tpm-not-hwrng");
	const std::string file = "/sys/module/tpm_rng/tpm_rng.0/state";
	machine.around.module_sources = {{"tpm_rng.0", "back-off", file}};
	machine.facts.messages = {{"the kernel's log", "tpm tpm0: A TPM error (6) occurred"}};
	auto found = machine.first();
	EXPECT_EQ(found.id, "tpm-error");
	EXPECT_TRUE(found.text.contains("returns no random bytes"));
	EXPECT_EQ(found.evidence.back().value, "tpm tpm0: A TPM error (6) occurred");
	ASSERT_EQ(found.remedy.size(), 2U);
	EXPECT_EQ(found.remedy[1].command, "hwrngctl load cpu --persist");
	machine.around.module_sources[0].state = "failed";
	EXPECT_EQ(machine.first().id, "tpm-error");
	EXPECT_TRUE(machine.first().text.contains("fails the health tests"));
	for (const char *state : {"start-up", "healthy"}) {
		machine.around.module_sources[0].state = state;
		found = machine.first();
		EXPECT_EQ(found.id, "tpm-not-hwrng");
		EXPECT_TRUE(found.text.contains("tests it first"));
		ASSERT_EQ(found.remedy.size(), 1U);
		EXPECT_EQ(found.remedy[0].command, "");
	}
}

TEST(Diagnosis, AStarvedCpuIsNotServedByLoadingItsModuleAgain)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.around.modules = {loaded("cpu_rng")};
	const std::string file = "/sys/module/cpu_rng/cpu_rng.rdrand/state";
	machine.around.module_sources = {{"cpu_rng.rdrand", "starved", file}};
	const auto found = machine.first();
	EXPECT_EQ(found.id, "no-hwrng");
	EXPECT_TRUE(found.text.contains("cpu_rng.rdrand is starved")) << found.text;
	EXPECT_EQ(found.evidence.back().where, file);
	for (const auto &step : found.remedy)
		EXPECT_FALSE(step.command.contains("load cpu")) << step.command;
}

TEST(Diagnosis, ASourceThatItsModuleGaveUpIsReported)
{
	HealthyMachine machine;
	const std::string file = "/sys/module/tpm_rng/tpm_rng.0/state";
	machine.around.modules = {loaded("tpm_rng")};
	machine.around.module_sources = {{"tpm_rng.0", "failed", file}};
	EXPECT_EQ(machine.count("hwrng-withdrawn"), 0) << "it is tested again by itself";
	// It is not in use.
	machine.around.module_sources[0].state = "withdrawn";
	machine.inventory.hwrng->available.emplace_back("tpm_rng.0");
	auto found = machine.first();
	EXPECT_EQ(found.id, "hwrng-withdrawn");
	EXPECT_EQ(found.severity, Severity::warning);
	ASSERT_EQ(found.evidence.size(), 1U);
	EXPECT_EQ(found.evidence[0].where, file);
	ASSERT_EQ(found.remedy.size(), 1U);
	EXPECT_EQ(found.remedy[0].command, "echo start-up >" + file);
	// It is in use, so that reads fail.
	machine.inventory.hwrng->current = "tpm_rng.0";
	machine.facts.answer = HwrngAnswer::error;
	found = machine.first();
	EXPECT_EQ(found.id, "hwrng-withdrawn");
	EXPECT_EQ(found.severity, Severity::problem);
	EXPECT_EQ(machine.count("hwrng-withdrawn"), 1);
	EXPECT_EQ(found.remedy.at(1).command, "hwrngctl select virtio_rng.0");
	// It was never a hwrng.
	machine.inventory.hwrng = HwrngState();
	machine.inventory.tpms = {tpm("2.0")};
	found = machine.first();
	EXPECT_EQ(found.id, "hwrng-withdrawn");
	EXPECT_EQ(machine.count("hwrng-withdrawn"), 1);
	EXPECT_EQ(machine.count("tpm-error"), 0);
	machine.around.module_sources.push_back({"tpm_rng.1", "withdrawn", "x"});
	EXPECT_EQ(machine.count("hwrng-withdrawn"), 2);
}

TEST(Diagnosis, IfModuleLoadingIsDisabledTheModuleIsLoadedAtTheNextBoot)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.tpms = {tpm("2.0")};
	machine.around.modules = {loadable("tpm_rng")};
	machine.facts.modules_disabled = true;
	const auto found = machine.first();
	EXPECT_EQ(found.id, "modules-refused");
	EXPECT_EQ(found.remedy.at(0).command, "echo tpm_rng >/etc/modules-load.d/hwrngd-tpm_rng.conf");
	machine.around.modules = {loaded("tpm_rng")};
	EXPECT_EQ(machine.first().id, "tpm-not-hwrng") << "it is loaded already";
}

TEST(Diagnosis, ASignedModuleIsRefusedOnlyIfTheKernelLoggedThat)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.tpms = {tpm("2.0")};
	machine.around.modules = {loadable("tpm_rng")};
	machine.facts.refusal = {"lockdown", "on"};
	EXPECT_EQ(machine.first().id, "modules-refused") << "it is not signed";
	machine.around.modules[0].signer = "DKMS module signing key";
	EXPECT_EQ(machine.first().id, "tpm-not-hwrng") << "the kernel may trust its key";
	machine.facts.messages = {{"the kernel's log", "Loading of unsigned module is rejected"}};
	EXPECT_EQ(machine.first().id, "tpm-not-hwrng") << "that was another module";
	for (const char *logged :
	     {"Loading of module with unavailable key is rejected",
	      "Lockdown: (udev-worker): unsigned module loading is restricted; see man "
	      "kernel_lockdown.7"}) {
		machine.facts.messages = {{"the kernel's log", logged}};
		const auto found = machine.first();
		EXPECT_EQ(found.id, "modules-refused");
		EXPECT_EQ(found.evidence.back().value, logged);
	}
}

TEST(Diagnosis, AnAmdFirmwareTpmIsNotUsed)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.tpms = {tpm("2.0")};
	machine.around.modules = {loaded("tpm_rng"), loadable("cpu_rng")};
	machine.facts.amd_ftpm = true;
	auto found = machine.first();
	EXPECT_EQ(found.id, "amd-ftpm");
	EXPECT_EQ(found.remedy.at(0).command, "hwrngctl load cpu --persist");
	machine.facts.hypervisor = "QEMU";
	found = machine.first();
	ASSERT_EQ(found.remedy.size(), 3U) << "a software TPM does not stutter";
	EXPECT_EQ(found.remedy[1].command, "hwrngctl unload tpm");
}

TEST(Diagnosis, AMissingModuleIsInstalledFirst)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	EXPECT_EQ(machine.first().id, "no-hwrng");
	EXPECT_EQ(machine.first().remedy.at(1).command, "apt install hwrngd-dkms");
	EXPECT_EQ(machine.first().remedy.at(2).command, "hwrngctl load cpu --persist");
	machine.inventory.tpms = {tpm("2.0")};
	machine.facts.amd_ftpm = true;
	auto found = machine.first();
	EXPECT_EQ(found.id, "amd-ftpm");
	EXPECT_EQ(found.remedy.at(0).command, "apt install hwrngd-dkms");
	EXPECT_EQ(found.remedy.at(1).command, "hwrngctl load cpu --persist");
	machine.facts.hypervisor = "QEMU";
	found = machine.first();
	EXPECT_EQ(found.remedy.at(1).command, "apt install hwrngd-dkms");
	EXPECT_EQ(found.remedy.at(2).command, "hwrngctl load tpm --persist");
}

TEST(Diagnosis, AnAmdFirmwareTpmThatAnOldKernelReadsIsReported)
{
	HealthyMachine machine;
	machine.inventory.kernel = "5.10.0-30-amd64";
	machine.inventory.hwrng->available = {"tpm-rng-0"};
	machine.inventory.hwrng->current = "tpm-rng-0";
	machine.inventory.hwrng->has_quality_file = false;
	machine.around.modules = {loadable("cpu_rng")};
	machine.facts.amd_ftpm = true;
	const auto found = machine.first();
	EXPECT_EQ(found.id, "amd-ftpm");
	EXPECT_EQ(found.severity, Severity::warning);
	EXPECT_EQ(found.remedy.at(0).command, "hwrngctl load cpu --persist");
	machine.facts.hypervisor = "QEMU";
	EXPECT_EQ(machine.count("amd-ftpm"), 0) << "a software TPM";
	machine.facts.hypervisor = "";
	machine.inventory.kernel = "6.12.0-1-amd64";
	EXPECT_EQ(machine.count("amd-ftpm"), 0) << "this kernel does not serve a firmware TPM";
}

TEST(Diagnosis, TpmRngIsNotInstalledForATpmThatItWouldNotServe)
{
	HealthyMachine machine;
	machine.inventory.tpms = {tpm("2.0")};
	machine.facts.boot_modules = {{"/etc/modules", "tpm_rng"}};
	EXPECT_EQ(machine.first().remedy.at(0).command, "apt install hwrngd-dkms");
	EXPECT_EQ(machine.count("tpm-rng-module-missing"), 1) << "once is enough";
	machine.facts.amd_ftpm = true;
	const auto found = machine.first();
	EXPECT_EQ(found.id, "tpm-rng-module-missing");
	EXPECT_EQ(found.remedy.at(0).command, "sed -i '/^[[:space:]]*tpm[-_]rng/d' /etc/modules");
}

TEST(Diagnosis, ASwitchThatAnOldKernelMayNotSurviveIsNotAdvised)
{
	HealthyMachine machine;
	machine.facts.answer = HwrngAnswer::equal_bytes;
	machine.inventory.hwrng->available.emplace_back("tpm-rng-0");
	EXPECT_EQ(machine.first().remedy.at(0).command, "hwrngctl select tpm-rng-0");
	machine.inventory.hwrng->has_quality_file = false;
	EXPECT_EQ(machine.first().remedy.at(0).command, "") << "select would refuse";
	machine.inventory.hwrng->available.emplace_back("cpu_rng.rdrand");
	EXPECT_EQ(machine.first().remedy.at(0).command, "hwrngctl select cpu_rng.rdrand");
}

TEST(Diagnosis, ARunningRngdHasASource)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.facts.rngd_installed = true;
	EXPECT_EQ(machine.count("rngd-no-source"), 1);
	machine.around.feeders = {{"rngd", 8, "", ""}};
	EXPECT_EQ(machine.count("rngd-no-source"), 0);
}

TEST(Diagnosis, ABoardHasNoFirmwareSetUp)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.cpu_instructions.clear();
	machine.facts.board = "Raspberry Pi 4 Model B Rev 1.4";
	EXPECT_EQ(machine.first().id, "no-hwrng");
	EXPECT_EQ(machine.first().remedy.at(0).command, "modprobe -a bcm2835_rng iproc_rng200");
	machine.facts.board = "Pine64 RockPro64 v2.1";
	EXPECT_EQ(machine.first().remedy.at(0).what.find("firmware"), std::string::npos);
}

TEST(Diagnosis, AnErratumOfTheCpuIsNotBlamedOnTheHypervisor)
{
	HealthyMachine machine;
	machine.inventory.cpu_instructions.clear();
	machine.facts.hypervisor = "QEMU";
	EXPECT_EQ(machine.first().id, "cpu-instructions-hidden");
	EXPECT_EQ(machine.first().severity, Severity::note) << "virtio-rng is better";
	machine.facts.messages = {{"the kernel's log", "RDSEED32 is broken. Disabling the bit."}};
	const auto found = machine.first();
	EXPECT_EQ(found.id, "cpu-erratum");
	EXPECT_EQ(found.severity, Severity::note);
	for (const auto &finding : diagnose(machine.inventory, machine.around, machine.facts))
		EXPECT_NE(finding.id, "cpu-instructions-hidden");
}

TEST(Diagnosis, AnUntrustedCpuIsANoteAndCannotMakeTheCrngReady)
{
	HealthyMachine machine;
	machine.inventory.cpu_distrust = "no trust";
	EXPECT_EQ(machine.count("cpu-not-trusted"), 0) << "its credit is configured";
	machine.facts.uncredited = {{"rdseed", "an erratum"}};
	EXPECT_EQ(machine.count("cpu-not-trusted"), 0) << "that is another finding";
	machine.inventory.sources = {source("rdrand", SourceKind::cpu)};
	machine.facts.uncredited = {{"rdrand", "no trust"}};
	const auto found = machine.first();
	EXPECT_EQ(found.id, "cpu-not-trusted");
	EXPECT_EQ(found.severity, Severity::note);
	EXPECT_EQ(found.text, "no trust, so hwrngd does not credit the CPU (rdrand)");
	machine.inventory.crng_ready = false;
	EXPECT_EQ(machine.first().remedy.at(0).command, "head -c 1 /dev/random >/dev/null");
	machine.facts.uncredited.clear();
	EXPECT_EQ(machine.first().remedy.at(0).command, "hwrngctl feed --once");
}

TEST(Diagnosis, FipsFailuresOfAHealthySourceAreExplained)
{
	HealthyMachine machine;
	machine.facts.fips_failures = {{"tpmrm0", "1 of 900 blocks"}};
	EXPECT_EQ(machine.first().id, "fips-failures");
	EXPECT_EQ(machine.first().severity, Severity::note);
}

TEST(Diagnosis, ASpecialNoteComesBeforeTheUsualOne)
{
	HealthyMachine machine;
	machine.facts.rngd_installed = true;
	machine.inventory.tpms = {tpm("2.0")};
	machine.inventory.tpms.front().hwrng = "tpm-rng-0";
	machine.inventory.hwrng->available.emplace_back("tpm-rng-0");
	const auto found = machine.first();
	EXPECT_EQ(found.id, "rngd-tpm-disabled");
	ASSERT_EQ(found.evidence.size(), 1U);
	EXPECT_EQ(found.evidence[0].value, "virtio_rng.0 tpm-rng-0");
}

TEST(Diagnosis, AnswersOfTheHwrngAreReported)
{
	HealthyMachine machine;
	machine.facts.answer = HwrngAnswer::nothing;
	EXPECT_EQ(machine.first().id, "hwrng-silent");
	machine.inventory.hwrng->current = "ccp-1-rng";
	EXPECT_EQ(machine.first().id, "amd-ccp");
	machine.facts.answer = HwrngAnswer::spins;
	EXPECT_EQ(machine.first().id, "amd-ccp") << "it returns 0";
	machine.facts.answer = HwrngAnswer::error;
	EXPECT_EQ(machine.first().id, "amd-ccp") << "after some tries it returns EIO";
	machine.inventory.hwrng->current = "virtio_rng.0";
	EXPECT_EQ(machine.first().id, "hwrng-error");
	machine.inventory.hwrng->current = "tpm-rng-0";
	machine.facts.messages = {{"the kernel's log", "tpm tpm0: A TPM error (6) occurred"}};
	const auto found = machine.first();
	EXPECT_EQ(found.id, "tpm-error");
	EXPECT_EQ(found.evidence.back().value, "tpm tpm0: A TPM error (6) occurred");
}

TEST(Diagnosis, OneFeederIsEnough)
{
	HealthyMachine machine;
	machine.around.feeders = {{"hwrng", 5, "", ""}, {"hwrngd", 6, "", ""}, {"hwrngd", 7, "", ""}};
	EXPECT_EQ(machine.first().id, "entropy-avail-256") << "the kernel's thread does not count";
	machine.around.feeders.push_back({"haveged", 8, "", "haveged.service"});
	const auto found = machine.first();
	EXPECT_EQ(found.id, "two-feeders");
	ASSERT_EQ(found.remedy.size(), 1U);
	EXPECT_EQ(found.remedy[0].command, "systemctl disable --now haveged.service");
	machine.around.feeders.back().unit.clear();
	EXPECT_EQ(machine.first().remedy.at(0).command, "kill 8") << "no service manager restarts it";
}

TEST(Diagnosis, WithoutAHwrngTheHypervisorsCommandIsPrinted)
{
	HealthyMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.cpu_instructions.clear();
	EXPECT_EQ(machine.first().id, "no-hwrng");
	EXPECT_NE(machine.first().remedy.at(0).what.find("firmware"), std::string::npos);
	machine.facts.hypervisor = "QEMU";
	EXPECT_NE(machine.first().remedy.at(0).what.find("virt-xml"), std::string::npos);
	machine.facts.hypervisor = "Microsoft Corporation";
	EXPECT_NE(machine.first().remedy.at(0).what.find("Enable-VMTPM"), std::string::npos);
}

TEST(Diagnosis, ASelectionThatIsLostAtBootIsAWarning)
{
	HealthyMachine machine;
	machine.inventory.hwrng->selected = true;
	EXPECT_EQ(machine.first().id, "choice-not-kept");
	machine.facts.kept_rng = "virtio_rng.0";
	EXPECT_EQ(machine.first().id, "entropy-avail-256");
}

TEST(Diagnosis, AMonitorOfAnOldPoolIsUseful)
{
	HealthyMachine machine;
	machine.facts.monitors = {{"/etc/munin/plugins/entropy", "installed"}};
	EXPECT_EQ(machine.first().id, "entropy-avail-watched");
	machine.facts.monitors = {{"/etc/nagios/nrpe.d/my checks.cfg", "command[entropy]=..."}};
	EXPECT_EQ(machine.first().remedy.at(0).command,
	          "sed -i '/entropy/s/^[^#]/#&/' '/etc/nagios/nrpe.d/my checks.cfg'");
	machine.inventory.pool_size = 4096;
	EXPECT_EQ(machine.first().id, "nothing");
}

TEST(Diagnosis, ALateBootIsAWarning)
{
	HealthyMachine machine;
	machine.facts.ready_after = 29;
	EXPECT_EQ(machine.first().id, "entropy-avail-256");
	machine.facts.ready_after = 95;
	EXPECT_EQ(machine.first().id, "slow-boot");
	machine.inventory.hwrng->current = "tpm_rng.0";
	EXPECT_EQ(machine.first().severity, Severity::note) << "the remedy was applied already";
	machine.inventory.hwrng = HwrngState();
	machine.facts.hypervisor = "QEMU";
	EXPECT_EQ(machine.first().id, "slow-boot");
	EXPECT_EQ(machine.first().severity, Severity::problem);
	EXPECT_NE(machine.first().remedy.at(0).what.find("virt-xml"), std::string::npos);
}

} // namespace
