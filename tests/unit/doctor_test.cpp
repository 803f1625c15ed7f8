// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of `hwrngctl doctor` for what no guest can have, and the command on trees made of
// files.
#include "control/diagnosis.h"
#include "fake_tree.h"
#include "run_hwrngctl.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// A machine in whose use of virtio-rng nothing is wrong.
struct SoundMachine {
	Inventory inventory;
	Surroundings around;
	Symptoms symptoms;

	SoundMachine()
	{
		inventory.architecture = "x86_64";
		inventory.crng_ready = true;
		inventory.entropy_available = inventory.pool_size = 256;
		inventory.hwrng.emplace();
		inventory.hwrng->available = {"virtio_rng.0"};
		inventory.hwrng->current = "virtio_rng.0";
		inventory.hwrng->has_quality_file = true;
		inventory.cpu_instructions = {"rdrand"};
		symptoms.answer = HwrngAnswer::bytes;
	}

	/// Its first finding.
	[[nodiscard]] Finding first() const
	{
		const auto findings = diagnose(inventory, around, symptoms);
		return findings.empty() ? Finding{.id = "nothing", .text = {}} : findings.front();
	}

	/// How many findings have that name.
	[[nodiscard]] auto count(const std::string &id) const
	{
		return std::ranges::count(diagnose(inventory, around, symptoms), id, &Finding::id);
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

TEST(Doctor, ASoundMachineHasNotesAlone)
{
	const auto found = SoundMachine().first();
	EXPECT_EQ(found.id, "entropy-avail-256");
	EXPECT_EQ(found.severity, Severity::note);
}

TEST(Doctor, AThreadThatTakesACpuIsNamed)
{
	SoundMachine machine;
	machine.inventory.hwrng->available.emplace_back("tpm-rng-0");
	machine.symptoms.busy = {{{"hwrng", 77, "", ""}, 0.97}};
	const auto found = machine.first();
	EXPECT_EQ(found.id, "hwrng-thread-spins");
	ASSERT_EQ(found.evidence.size(), 1U);
	EXPECT_EQ(found.evidence[0].value, "hwrng takes 97 % of a CPU");
	ASSERT_EQ(found.remedy.size(), 1U);
	EXPECT_EQ(found.remedy[0].command, "hwrngctl select tpm-rng-0");

	machine.symptoms.busy = {{{"hwrng", 77, "", ""}, 0.5}};
	EXPECT_EQ(machine.first().id, "entropy-avail-256");
	machine.symptoms.busy = {{{"rngd", 78, "", ""}, 1.0}};
	EXPECT_EQ(machine.first().id, "rngd-spins");
	machine.symptoms.busy = {{{"haveged", 78, "", ""}, 1.0}};
	EXPECT_EQ(machine.first().id, "entropy-avail-256") << "it collects, and is no RNG's driver";
}

TEST(Doctor, WhoSpinsForADriverIsEvidenceOfIt)
{
	SoundMachine machine;
	machine.symptoms.answer = HwrngAnswer::spins;
	machine.symptoms.busy = {{{"rngd", 78, "", ""}, 1.0}};
	auto found = machine.first();
	EXPECT_EQ(found.id, "hwrng-returns-nothing");
	EXPECT_EQ(found.evidence.back().value, "rngd takes 100 % of a CPU");
	for (const auto &finding : diagnose(machine.inventory, machine.around, machine.symptoms))
		EXPECT_NE(finding.id, "rngd-spins") << "its jitter is not to blame";

	machine.symptoms.answer = HwrngAnswer::nothing;
	EXPECT_EQ(machine.first().id, "hwrng-silent");
	machine.symptoms.busy = {{{"hwrng", 77, "", ""}, 1.0}};
	found = machine.first();
	EXPECT_EQ(found.id, "hwrng-thread-spins");
	EXPECT_EQ(found.evidence.back().value, "hwrng takes 100 % of a CPU");
}

TEST(Doctor, TheCpuTakesTheSickOnesPlace)
{
	SoundMachine machine;
	machine.symptoms.answer = HwrngAnswer::equal_bytes;
	EXPECT_EQ(machine.first().remedy.at(0).command, "") << "there is no other";
	machine.around.modules = {loadable("cpu_rng")};
	const auto found = machine.first();
	ASSERT_EQ(found.remedy.size(), 3U);
	EXPECT_EQ(found.remedy[0].command, "hwrngctl load cpu");
	EXPECT_EQ(found.remedy[1].command, "echo cpu_rng >/etc/modules-load.d/cpu_rng.conf");
	EXPECT_EQ(found.remedy[2].command, "hwrngctl select cpu_rng.rdrand");
}

TEST(Doctor, WhoWaitsInADriverIsFreedOfIt)
{
	SoundMachine machine;
	machine.symptoms.answer = HwrngAnswer::nothing;
	machine.around.modules = {loadable("cpu_rng")};
	auto found = machine.first();
	EXPECT_EQ(found.id, "hwrng-silent");
	ASSERT_EQ(found.remedy.size(), 5U);
	EXPECT_EQ(found.remedy[0].command, "hwrngctl load cpu");
	EXPECT_EQ(found.remedy[2].command, "modprobe -r virtio_rng");

	machine.inventory.hwrng->available.emplace_back("cpu_rng.rdrand");
	machine.inventory.hwrng->current = "cpu_rng.rdrand";
	machine.symptoms.stuck_readers = {{"/proc/5/task/5/stack", "virtio_rng"}};
	found = machine.first();
	EXPECT_EQ(found.evidence.back().value, "waits in virtio_rng");
	EXPECT_EQ(found.remedy.at(0).command, "modprobe -r virtio_rng")
	    << "the choice was made, and helps nobody";
}

TEST(Doctor, AStarvedMachineIsToldSoFirst)
{
	SoundMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.crng_ready = false;
	EXPECT_EQ(machine.first().id, "crng-not-ready");
	EXPECT_EQ(machine.first().remedy.at(0).command, "head -c 1 /dev/random >/dev/null");
	machine.inventory.sources = {source("jitter", SourceKind::jitter)};
	EXPECT_EQ(machine.first().remedy.at(0).command, "head -c 1 /dev/random >/dev/null");
	machine.inventory.sources = {source("rdrand", SourceKind::cpu)};
	EXPECT_EQ(machine.first().remedy.at(0).command, "hwrngctl feed --once");
}

TEST(Doctor, AMachineThatIsReadyIsInNoNeed)
{
	SoundMachine machine;
	machine.inventory.hwrng = HwrngState();
	EXPECT_EQ(machine.first().id, "no-hwrng");
	EXPECT_EQ(machine.first().severity, Severity::warning);
	machine.symptoms.ready_after = 95;
	for (const auto &finding : diagnose(machine.inventory, machine.around, machine.symptoms))
		if (finding.id == "no-hwrng") {
			EXPECT_EQ(finding.severity, Severity::problem) << "the next boot is late as well";
		}
	machine.symptoms.ready_after.reset();
	machine.inventory.pool_size = 4096;
	EXPECT_EQ(machine.first().severity, Severity::problem) << "that pool runs dry";
}

TEST(Doctor, HwrngsOfWhichTheKernelUsesNoneAreNotUnknown)
{
	SoundMachine machine;
	machine.inventory.hwrng->current.clear();
	const auto found = machine.first();
	EXPECT_EQ(found.id, "no-hwrng");
	EXPECT_EQ(found.remedy.at(0).command, "hwrngctl select virtio_rng.0");
}

TEST(Doctor, ATpmThatItsDriverWaitsForIsNotToBeLoadedAgain)
{
	SoundMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.tpms = {tpm("1.2")};
	machine.around.modules = {loaded("tpm_rng"), loadable("cpu_rng")};
	EXPECT_EQ(machine.first().id, "tpm-not-hwrng");
	machine.symptoms.waiting_tpms = {{"/sys/module/tpm_rng/tpm_rng.0/state", "back-off"}};
	machine.symptoms.messages = {{"the kernel's log", "tpm tpm0: A TPM error (6) occurred"}};
	const auto found = machine.first();
	EXPECT_EQ(found.id, "tpm-error");
	EXPECT_EQ(found.evidence.back().value, "tpm tpm0: A TPM error (6) occurred");
	ASSERT_EQ(found.remedy.size(), 3U);
	EXPECT_EQ(found.remedy[1].command, "hwrngctl load cpu");
}

TEST(Doctor, WhereNoModuleIsLoadedAnyMoreTheNextBootDoes)
{
	SoundMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.tpms = {tpm("2.0")};
	machine.around.modules = {loadable("tpm_rng")};
	machine.symptoms.modules_disabled = true;
	const auto found = machine.first();
	EXPECT_EQ(found.id, "modules-refused");
	EXPECT_EQ(found.remedy.at(0).command, "echo tpm_rng >/etc/modules-load.d/tpm_rng.conf");
	machine.around.modules = {loaded("tpm_rng")};
	EXPECT_EQ(machine.first().id, "tpm-not-hwrng") << "it is in already";
}

TEST(Doctor, ASignedModuleIsRefusedOnceTheKernelHasSaidSo)
{
	SoundMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.tpms = {tpm("2.0")};
	machine.around.modules = {loadable("tpm_rng")};
	machine.symptoms.refusal = {"lockdown", "on"};
	EXPECT_EQ(machine.first().id, "modules-refused") << "it is not signed";
	machine.around.modules[0].signer = "DKMS module signing key";
	EXPECT_EQ(machine.first().id, "tpm-not-hwrng") << "the kernel may know its key";
	for (const char *said :
	     {"Loading of module with unavailable key is rejected",
	      "Lockdown: (udev-worker): unsigned module loading is restricted; see man "
	      "kernel_lockdown.7"}) {
		machine.symptoms.messages = {{"the kernel's log", said}};
		const auto found = machine.first();
		EXPECT_EQ(found.id, "modules-refused");
		EXPECT_EQ(found.evidence.back().value, said);
	}
}

TEST(Doctor, AnAmdFirmwareTpmIsLeftAlone)
{
	SoundMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.tpms = {tpm("2.0")};
	machine.around.modules = {loaded("tpm_rng"), loadable("cpu_rng")};
	machine.symptoms.amd_ftpm = true;
	auto found = machine.first();
	EXPECT_EQ(found.id, "amd-ftpm");
	EXPECT_EQ(found.remedy.at(0).command, "hwrngctl load cpu");
	machine.symptoms.hypervisor = "QEMU";
	found = machine.first();
	ASSERT_EQ(found.remedy.size(), 4U) << "a TPM of software does not stutter";
	EXPECT_EQ(found.remedy[1].command, "hwrngctl unload tpm");
}

TEST(Doctor, WhatIsNotInstalledIsInstalledFirst)
{
	SoundMachine machine;
	machine.inventory.hwrng = HwrngState();
	EXPECT_EQ(machine.first().id, "no-hwrng");
	EXPECT_EQ(machine.first().remedy.at(1).command, "apt install hwrngd-dkms");
	EXPECT_EQ(machine.first().remedy.at(2).command, "hwrngctl load cpu");
	machine.inventory.tpms = {tpm("2.0")};
	machine.symptoms.amd_ftpm = true;
	auto found = machine.first();
	EXPECT_EQ(found.id, "amd-ftpm");
	EXPECT_EQ(found.remedy.at(0).command, "apt install hwrngd-dkms");
	EXPECT_EQ(found.remedy.at(1).command, "hwrngctl load cpu");
	machine.symptoms.hypervisor = "QEMU";
	found = machine.first();
	EXPECT_EQ(found.remedy.at(1).command, "apt install hwrngd-dkms");
	EXPECT_EQ(found.remedy.at(2).command, "hwrngctl load tpm");
}

TEST(Doctor, AnAmdFirmwareTpmThatAnOldKernelReadsIsTold)
{
	SoundMachine machine;
	machine.inventory.kernel = "5.10.0-30-amd64";
	machine.inventory.hwrng->available = {"tpm-rng-0"};
	machine.inventory.hwrng->current = "tpm-rng-0";
	machine.inventory.hwrng->has_quality_file = false;
	machine.around.modules = {loadable("cpu_rng")};
	machine.symptoms.amd_ftpm = true;
	const auto found = machine.first();
	EXPECT_EQ(found.id, "amd-ftpm");
	EXPECT_EQ(found.severity, Severity::warning);
	EXPECT_EQ(found.remedy.at(0).command, "hwrngctl load cpu");
	machine.symptoms.hypervisor = "QEMU";
	EXPECT_EQ(machine.count("amd-ftpm"), 0) << "a TPM of software";
	machine.symptoms.hypervisor = "";
	machine.inventory.kernel = "6.12.0-1-amd64";
	EXPECT_EQ(machine.count("amd-ftpm"), 0) << "it would not serve a firmware TPM";
}

TEST(Doctor, WhoAsksForTpmRngInVainIsNotSentToWhatRefuses)
{
	SoundMachine machine;
	machine.inventory.tpms = {tpm("2.0")};
	machine.symptoms.asked_modules = {{"/etc/modules", "tpm_rng"}};
	EXPECT_EQ(machine.first().remedy.at(0).command, "apt install hwrngd-dkms");
	EXPECT_EQ(machine.count("tpm-rng-module-missing"), 1) << "once is enough";
	machine.symptoms.amd_ftpm = true;
	const auto found = machine.first();
	EXPECT_EQ(found.id, "tpm-rng-module-missing");
	EXPECT_EQ(found.remedy.at(0).command, "sed -i '/^[[:space:]]*tpm[-_]rng/d' /etc/modules");
}

TEST(Doctor, ASwitchThatAnOldKernelMayNotSurviveIsNotAdvised)
{
	SoundMachine machine;
	machine.symptoms.answer = HwrngAnswer::equal_bytes;
	machine.inventory.hwrng->available.emplace_back("tpm-rng-0");
	EXPECT_EQ(machine.first().remedy.at(0).command, "hwrngctl select tpm-rng-0");
	machine.inventory.hwrng->has_quality_file = false;
	EXPECT_EQ(machine.first().remedy.at(0).command, "") << "select would refuse";
	machine.inventory.hwrng->available.emplace_back("cpu_rng.rdrand");
	EXPECT_EQ(machine.first().remedy.at(0).command, "hwrngctl select cpu_rng.rdrand");
}

TEST(Doctor, AnRngdThatRunsHasASource)
{
	SoundMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.symptoms.rngd_installed = true;
	EXPECT_EQ(machine.count("rngd-no-source"), 1);
	machine.around.feeders = {{"rngd", 8, "", ""}};
	EXPECT_EQ(machine.count("rngd-no-source"), 0);
}

TEST(Doctor, ABoardHasNoFirmwareSetUp)
{
	SoundMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.cpu_instructions.clear();
	machine.symptoms.board = "Raspberry Pi 4 Model B Rev 1.4";
	EXPECT_EQ(machine.first().id, "no-hwrng");
	EXPECT_EQ(machine.first().remedy.at(0).command, "modprobe -a bcm2835_rng iproc_rng200");
	machine.symptoms.board = "Pine64 RockPro64 v2.1";
	EXPECT_EQ(machine.first().remedy.at(0).what.find("firmware"), std::string::npos);
}

TEST(Doctor, AnErratumOfTheCpuIsNotBlamedOnTheHypervisor)
{
	SoundMachine machine;
	machine.inventory.cpu_instructions.clear();
	machine.symptoms.hypervisor = "QEMU";
	EXPECT_EQ(machine.first().id, "cpu-instructions-hidden");
	EXPECT_EQ(machine.first().severity, Severity::note) << "virtio-rng is better";
	machine.symptoms.messages = {{"the kernel's log", "RDSEED32 is broken. Disabling the bit."}};
	const auto found = machine.first();
	EXPECT_EQ(found.id, "cpu-erratum");
	EXPECT_EQ(found.severity, Severity::note);
	for (const auto &finding : diagnose(machine.inventory, machine.around, machine.symptoms))
		EXPECT_NE(finding.id, "cpu-instructions-hidden");
}

TEST(Doctor, FipsFailuresOfAHealthySourceAreExplained)
{
	SoundMachine machine;
	machine.symptoms.fips_failures = {{"tpmrm0", "1 of 900 blocks"}};
	EXPECT_EQ(machine.first().id, "fips-failures");
	EXPECT_EQ(machine.first().severity, Severity::note);
}

TEST(Doctor, ANoteOfWhatIsSpecialComesBeforeTheUsualOne)
{
	SoundMachine machine;
	machine.symptoms.rngd_installed = true;
	machine.inventory.tpms = {tpm("2.0")};
	machine.inventory.tpms.front().hwrng = "tpm-rng-0";
	machine.inventory.hwrng->available.emplace_back("tpm-rng-0");
	const auto found = machine.first();
	EXPECT_EQ(found.id, "rngd-tpm-disabled");
	ASSERT_EQ(found.evidence.size(), 1U);
	EXPECT_EQ(found.evidence[0].value, "virtio_rng.0 tpm-rng-0");
}

TEST(Doctor, AnswersOfTheHwrngAreTold)
{
	SoundMachine machine;
	machine.symptoms.answer = HwrngAnswer::nothing;
	EXPECT_EQ(machine.first().id, "hwrng-silent");
	machine.inventory.hwrng->current = "ccp-1-rng";
	EXPECT_EQ(machine.first().id, "amd-ccp");
	machine.symptoms.answer = HwrngAnswer::spins;
	EXPECT_EQ(machine.first().id, "amd-ccp") << "it returns 0";
	machine.symptoms.answer = HwrngAnswer::error;
	EXPECT_EQ(machine.first().id, "amd-ccp") << "and, after some tries, EIO";
	machine.inventory.hwrng->current = "virtio_rng.0";
	EXPECT_EQ(machine.first().id, "hwrng-error");
	machine.inventory.hwrng->current = "tpm-rng-0";
	machine.symptoms.messages = {{"the kernel's log", "tpm tpm0: A TPM error (6) occurred"}};
	const auto found = machine.first();
	EXPECT_EQ(found.id, "tpm-error");
	EXPECT_EQ(found.evidence.back().value, "tpm tpm0: A TPM error (6) occurred");
}

TEST(Doctor, OneFeederIsEnough)
{
	SoundMachine machine;
	machine.around.feeders = {{"hwrng", 5, "", ""}, {"hwrngd", 6, "", ""}, {"hwrngd", 7, "", ""}};
	EXPECT_EQ(machine.first().id, "entropy-avail-256") << "the kernel's thread is no other";
	machine.around.feeders.push_back({"haveged", 8, "", "haveged.service"});
	const auto found = machine.first();
	EXPECT_EQ(found.id, "two-feeders");
	ASSERT_EQ(found.remedy.size(), 1U);
	EXPECT_EQ(found.remedy[0].command, "systemctl disable --now haveged.service");
	machine.around.feeders.back().unit.clear();
	EXPECT_EQ(machine.first().remedy.at(0).command, "kill 8") << "nobody will start it again";
}

TEST(Doctor, WhereNoHwrngIsTheHypervisorsCommandIsGiven)
{
	SoundMachine machine;
	machine.inventory.hwrng = HwrngState();
	machine.inventory.cpu_instructions.clear();
	EXPECT_EQ(machine.first().id, "no-hwrng");
	EXPECT_NE(machine.first().remedy.at(0).what.find("firmware"), std::string::npos);
	machine.symptoms.hypervisor = "QEMU";
	EXPECT_NE(machine.first().remedy.at(0).what.find("virt-xml"), std::string::npos);
	machine.symptoms.hypervisor = "Microsoft Corporation";
	EXPECT_NE(machine.first().remedy.at(0).what.find("Enable-VMTPM"), std::string::npos);
}

TEST(Doctor, AChoiceThatNobodyKeepsIsAWarning)
{
	SoundMachine machine;
	machine.inventory.hwrng->selected = true;
	EXPECT_EQ(machine.first().id, "choice-not-kept");
	machine.symptoms.kept_rng = "virtio_rng.0";
	EXPECT_EQ(machine.first().id, "entropy-avail-256");
}

TEST(Doctor, AMonitorOfAnOldPoolIsRight)
{
	SoundMachine machine;
	machine.symptoms.monitors = {{"/etc/munin/plugins/entropy", "installed"}};
	EXPECT_EQ(machine.first().id, "entropy-avail-watched");
	machine.symptoms.monitors = {{"/etc/nagios/nrpe.d/my checks.cfg", "command[entropy]=..."}};
	EXPECT_EQ(machine.first().remedy.at(0).command,
	          "sed -i '/entropy/s/^[^#]/#&/' '/etc/nagios/nrpe.d/my checks.cfg'");
	machine.inventory.pool_size = 4096;
	EXPECT_EQ(machine.first().id, "nothing");
}

TEST(Doctor, ALateBootIsAWarning)
{
	SoundMachine machine;
	machine.symptoms.ready_after = 29;
	EXPECT_EQ(machine.first().id, "entropy-avail-256");
	machine.symptoms.ready_after = 95;
	EXPECT_EQ(machine.first().id, "slow-boot");
	machine.inventory.hwrng->current = "tpm_rng.0";
	EXPECT_EQ(machine.first().severity, Severity::note) << "what was to be done has been";
	machine.inventory.hwrng = HwrngState();
	machine.symptoms.hypervisor = "QEMU";
	EXPECT_EQ(machine.first().id, "slow-boot");
	EXPECT_EQ(machine.first().severity, Severity::problem);
	EXPECT_NE(machine.first().remedy.at(0).what.find("virt-xml"), std::string::npos);
}

/// A tree in whose use of virtio-rng nothing is wrong.
class SoundTree : public FakeTree {
public:
	SoundTree()
	{
		hwrng("virtio_rng.0", "virtio_rng.0");
		file("/proc/sys/kernel/random/entropy_avail", "256\n");
		file("/proc/sys/kernel/random/poolsize", "256\n");
		file("/proc/sys/kernel/osrelease", "6.1.0-test\n");
		file("/proc/cpuinfo", "flags\t\t: rdrand rdseed\n");
		file("/proc/2/comm", "kthreadd\n");
		file("/proc/5/comm", "hwrng\n");
		file("/dev/kmsg", "");
		std::string bytes;
		for (int i = 0; i < 256; i++)
			bytes += static_cast<char>(i);
		file("/dev/hwrng", bytes);
	}
};

TEST(Doctor, AFileOfModulesTakesThePlaceOfOthersOfItsName)
{
	SoundTree tree;
	tree.file("/usr/lib/modules-load.d/tpm.conf", "tpm_rng\n");
	const auto asked = [&] {
		return find_symptoms(tree.root(), Inventory(), Surroundings(), Config()).asked_modules;
	};
	EXPECT_EQ(asked().size(), 1U);
	tree.file("/etc/modules-load.d/tpm.conf", "");
	EXPECT_EQ(asked().size(), 0U);
}

std::string first_of(const FakeTree &tree)
{
	const auto ran = run(tree, "doctor --output=json");
	const auto document = nlohmann::json::parse(ran.out);
	const auto &findings = document.at("findings");
	EXPECT_EQ(ran.code, document.at("to_do") > 0 ? 1 : 0);
	return findings.empty() ? "nothing" : findings.at(0).at("id").get<std::string>();
}

TEST(Doctor, ASoundTreeIsSaidToBe)
{
	const SoundTree tree;
	const auto ran = run(tree, "doctor");
	EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
	EXPECT_TRUE(ran.out.starts_with("Nothing needs doing: ")) << ran.out;
	EXPECT_EQ(std::ranges::count(ran.out, '\n'), 1) << "and nothing else";
	EXPECT_NE(run(tree, "doctor --all").out.find("[entropy-avail-256]"), std::string::npos);
}

TEST(Doctor, TheFilesAreRead)
{
	SoundTree tree;
	tree.file("/dev/hwrng", std::string(256, '\0'));
	EXPECT_EQ(first_of(tree), "hwrng-sick");
	tree.file("/dev/kmsg", "6,339,95140900,-;random: crng init done\n");
	tree.file("/dev/hwrng", "short, and no fault");
	EXPECT_EQ(first_of(tree), "slow-boot");
	tree.file("/dev/kmsg", "6,339,5140900,-;random: crng init done\n");
	EXPECT_EQ(first_of(tree), "nothing");

	tree.file("/etc/modules", "# bcm2708-rng\n\nloop\n");
	EXPECT_EQ(first_of(tree), "nothing");
	tree.file("/proc/device-tree/model", std::string("Raspberry Pi 3\0", 15));
	tree.file("/etc/modules", "loop\n bcm2708-rng # old\n");
	const auto ran = run(tree, "doctor");
	EXPECT_EQ(first_of(tree), "raspberry-pi-module");
	EXPECT_NE(ran.out.find("  seen  /proc/device-tree/model: Raspberry Pi 3\n"), std::string::npos);
	EXPECT_NE(ran.out.find("  do    no longer ask for it:\n"
	                       "            sed -i '/^[[:space:]]*bcm2708[-_]rng/d' /etc/modules\n"),
	          std::string::npos)
	    << "a command is alone on its line";

	tree.file("/etc/modules", "tpm_rng\n");
	EXPECT_EQ(first_of(tree), "tpm-rng-module-missing");
	tree.file("/etc/modules", "");
	tree.file("/etc/munin/plugins/entropy", "");
	EXPECT_EQ(first_of(tree), "entropy-avail-watched");
	tree.file("/etc/nagios/nrpe.cfg", "command[entropy]=/bin/check_entropy\n"
	                                  "command[entropy_2]=/bin/check_entropy -w 200\n");
	tree.file("/etc/nagios/nrpe.d/sound.cfg", " # entropy\n");
	tree.file("/etc/nagios/nrpe.d/entropy.cfg~", "command[entropy]=/bin/check_entropy\n");
	const auto watched = run(tree, "doctor").out;
	EXPECT_NE(watched.find("            rm /etc/munin/plugins/entropy\n"), std::string::npos);
	EXPECT_NE(watched.find("            sed -i '/entropy/s/^[^#]/#&/' /etc/nagios/nrpe.cfg\n"),
	          std::string::npos);
	EXPECT_EQ(watched.find("            sed"), watched.rfind("            sed")) << watched;
	EXPECT_EQ(watched.find("nrpe.d"), std::string::npos) << watched;
}

TEST(Doctor, AContainerIsToldByWhatMarksIt)
{
	SoundTree tree;
	tree.symlink("/proc/self/ns/pid", "pid:[4026531836]");
	EXPECT_EQ(first_of(tree), "nothing");
	tree.symlink("/proc/self/ns/pid", "pid:[4026532001]");
	EXPECT_EQ(first_of(tree), "container");
	EXPECT_NE(run(tree, "doctor").out.find("  seen  /proc/self/ns/pid: pid:[4026532001]"),
	          std::string::npos);
	tree.symlink("/proc/self/ns/pid", "pid:[4026531836]");
	tree.file("/run/.containerenv", "");
	const auto ran = run(tree, "doctor");
	EXPECT_EQ(ran.code, 0);
	EXPECT_NE(ran.out.find("  seen  /run/.containerenv: "), std::string::npos) << ran.out;
}

TEST(Doctor, WithoutSysfsNothingIsSaidOfTheHardware)
{
	FakeTree tree;
	EXPECT_EQ(first_of(tree), "not-mounted");
	EXPECT_NE(run(tree, "doctor").out.find("            mount -t sysfs sysfs /sys\n"),
	          std::string::npos);
	tree.hwrng("", "none");
	EXPECT_EQ(first_of(tree), "not-mounted");
	EXPECT_NE(run(tree, "doctor").out.find("            mount -t proc proc /proc\n"),
	          std::string::npos);
	tree.file("/proc/sys/kernel/osrelease", "6.1.0-test\n");
	EXPECT_EQ(first_of(tree), "no-hwrng");
}

TEST(Doctor, ADaemonThatRunsWithoutItsSocketIsSeen)
{
	SoundTree tree;
	tree.file("/run/systemd/system/x", "");
	tree.file("/lib/systemd/system/hwrngd.service", "");
	tree.file("/etc/hwrngd.conf", "status_socket = \"/run/other\"\n");
	EXPECT_EQ(first_of(tree), "hwrngd-stopped");
	EXPECT_NE(run(tree, "doctor").out.find("  seen  /run/other: nobody listens\n"),
	          std::string::npos);
	tree.file("/etc/hwrngd.conf", "status_socket = \"\"\n");
	EXPECT_EQ(first_of(tree), "hwrngd-stopped");
	tree.file("/proc/7/comm", "hwrngd\n");
	EXPECT_EQ(first_of(tree), "nothing");
}

TEST(Doctor, AnHwrngThatTheKernelDoesNotReadIsSaidToBe)
{
	SoundTree tree;
	const auto read = run(tree, "doctor").out;
	EXPECT_NE(read.find("by itself. hwrngd is not needed"), std::string::npos) << read;
	std::filesystem::remove(tree.at("/proc/5/comm"));
	const auto unread = run(tree, "doctor").out;
	EXPECT_NE(unread.find("does not read it by itself"), std::string::npos) << unread;
}

TEST(Doctor, WhatCannotBeLookedAtIsTold)
{
	const SoundTree tree;
	for (const char *file : {"/dev/hwrng", "/dev/kmsg", "/proc/2/comm"})
		std::filesystem::remove(tree.at(file));
	const auto seen = run(tree, "doctor").out;
	EXPECT_TRUE(seen.starts_with("Not seen: the kernel's log (No such file or directory); what "
	                             "/dev/hwrng gives (No such file or directory); other users' "
	                             "processes (run as root).\n"))
	    << seen;
}

TEST(Doctor, AMaskedDaemonIsNotToBeStarted)
{
	SoundTree tree;
	tree.file("/run/systemd/system/x", "");
	tree.file("/usr/lib/systemd/system/hwrngd.service", "");
	EXPECT_EQ(first_of(tree), "hwrngd-stopped");
	tree.symlink("/etc/systemd/system/hwrngd.service", "/dev/null");
	EXPECT_EQ(first_of(tree), "nothing");
}

TEST(Doctor, AVirtioDeviceWithoutItsDriverIsNamed)
{
	SoundTree tree;
	tree.hwrng("", "none");
	tree.file("/sys/bus/virtio/devices/virtio0/device", "0x0004\n");
	EXPECT_EQ(first_of(tree), "device-without-driver");
	tree.file("/sys/bus/virtio/devices/virtio0/driver/bind", "");
	EXPECT_NE(first_of(tree), "device-without-driver");
	std::filesystem::remove_all(tree.at("/sys/bus/virtio/devices/virtio0/driver"));
	EXPECT_NE(run(tree, "doctor").out.find("modprobe -a virtio_rng\n"), std::string::npos);
	tree.file("/sys/bus/virtio/drivers/virtio_rng/bind", "");
	EXPECT_EQ(first_of(tree), "device-without-driver");
	EXPECT_EQ(run(tree, "doctor").out.find("modprobe"), std::string::npos) << "it is in already";
}

TEST(Doctor, AVirtualMachineIsOneByWhatDescribesIt)
{
	SoundTree tree;
	tree.file("/proc/device-tree/model", std::string("Raspberry Pi 3\0", 15));
	EXPECT_EQ(hypervisor_of(tree.root()), "");
	tree.file("/proc/device-tree/model", std::string("linux,dummy-virt\0", 17));
	EXPECT_EQ(hypervisor_of(tree.root()), "unknown");
	tree.file("/proc/device-tree/model", "");
	for (const char *vendor : {"QEMU", "OpenStack Foundation", "Hetzner"}) {
		tree.file("/sys/class/dmi/id/sys_vendor", vendor);
		EXPECT_EQ(hypervisor_of(tree.root()), vendor);
	}
	tree.file("/sys/class/dmi/id/sys_vendor", "Google"); // of Chromebooks too
	EXPECT_EQ(hypervisor_of(tree.root()), "");
	tree.file("/sys/class/dmi/id/product_name", "Google Compute Engine");
	EXPECT_EQ(hypervisor_of(tree.root()), "Google");
}

TEST(Doctor, TheHostOfXensGuestsIsNoGuest)
{
	SoundTree tree;
	tree.file("/proc/cpuinfo", "flags\t\t: rdrand rdseed hypervisor\n");
	tree.file("/sys/hypervisor/type", "xen\n");
	tree.file("/proc/xen/capabilities", "\n");
	EXPECT_EQ(hypervisor_of(tree.root()), "xen");
	tree.file("/proc/xen/capabilities", "control_d\n");
	EXPECT_EQ(hypervisor_of(tree.root()), "");
}

TEST(Doctor, WhatTheFirmwareSaysOfATpmIsRead)
{
	SoundTree tree;
	tree.hwrng("", "none");
	tree.file("/proc/cpuinfo", "flags\t\t: fpu\n");
	tree.file("/sys/firmware/acpi/tables/TPM2", "");
	EXPECT_EQ(first_of(tree), "tpm-hidden");
	tree.file("/sys/bus/acpi/devices/MSFT0101:00/status", "0\n");
	EXPECT_EQ(first_of(tree), "tpm-hidden") << "switched off";
	tree.file("/sys/bus/acpi/devices/MSFT0101:00/status", "15\n");
	EXPECT_EQ(first_of(tree), "device-without-driver");
	tree.file("/sys/module/tpm_crb/version", "0.1\n");
	EXPECT_NE(run(tree, "doctor").out.find("modprobe -a tpm_crb tpm_tis\n"), std::string::npos);
	tree.file("/sys/module/tpm_tis/initstate", "live\n");
	EXPECT_EQ(first_of(tree), "device-without-driver");
	EXPECT_EQ(run(tree, "doctor").out.find("modprobe"), std::string::npos) << "they are in already";
	tree.file("/sys/class/tpm/tpm0/tpm_version_major", "2\n");
	EXPECT_EQ(first_of(tree), "tpm-not-hwrng");
	tree.file("/sys/module/tpm_rng/tpm_rng.0/state", "start-up\n");
	EXPECT_EQ(first_of(tree), "tpm-error");
	std::filesystem::remove_all(tree.at("/sys/module"));
	tree.file("/sys/class/tpm/tpm0/enabled", "1\n");
	EXPECT_EQ(first_of(tree), "tpm-not-hwrng");
	tree.file("/sys/class/tpm/tpm0/active", "0\n");
	EXPECT_EQ(first_of(tree), "tpm-error");
}

} // namespace
