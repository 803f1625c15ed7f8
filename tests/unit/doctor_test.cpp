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
		inventory.cpu_instructions = {"rdrand"};
		symptoms.answer = HwrngAnswer::bytes;
	}

	/// Its first finding.
	[[nodiscard]] Finding first() const
	{
		const auto findings = diagnose(inventory, around, symptoms);
		return findings.empty() ? Finding{.id = "nothing", .text = {}} : findings.front();
	}
};

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
	EXPECT_EQ(found.evidence[0].value, "97 % of a CPU");
	ASSERT_EQ(found.remedy.size(), 1U);
	EXPECT_EQ(found.remedy[0].command, "hwrngctl select tpm-rng-0");

	machine.symptoms.busy = {{{"hwrng", 77, "", ""}, 0.5}};
	EXPECT_EQ(machine.first().id, "entropy-avail-256");
	machine.symptoms.busy = {{{"rngd", 78, "", ""}, 1.0}};
	EXPECT_EQ(machine.first().id, "rngd-spins");
	machine.symptoms.busy = {{{"haveged", 78, "", ""}, 1.0}};
	EXPECT_EQ(machine.first().id, "entropy-avail-256") << "it collects, and is no RNG's driver";
}

TEST(Doctor, AnswersOfTheHwrngAreTold)
{
	SoundMachine machine;
	machine.symptoms.answer = HwrngAnswer::nothing;
	EXPECT_EQ(machine.first().id, "hwrng-silent");
	machine.inventory.hwrng->current = "ccp-1-rng";
	EXPECT_EQ(machine.first().id, "amd-ccp");
	machine.symptoms.answer = HwrngAnswer::error;
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
		std::string bytes;
		for (int i = 0; i < 256; i++)
			bytes += static_cast<char>(i);
		file("/dev/hwrng", bytes);
	}
};

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
	EXPECT_NE(ran.out.find("sed -i '/^ *bcm2708[-_]rng/d' /etc/modules\n"), std::string::npos);

	tree.file("/etc/modules", "tpm_rng\n");
	EXPECT_EQ(first_of(tree), "tpm-rng-module-missing");
	tree.file("/etc/modules", "");
	tree.file("/etc/munin/plugins/entropy", "");
	EXPECT_EQ(first_of(tree), "entropy-avail-watched");
	tree.file("/run/.containerenv", "");
	EXPECT_EQ(first_of(tree), "container");
	EXPECT_EQ(run(tree, "doctor").code, 0);
}

TEST(Doctor, AVirtioDeviceWithoutItsDriverIsNamed)
{
	SoundTree tree;
	tree.hwrng("", "none");
	tree.file("/sys/bus/virtio/devices/virtio0/device", "0x0004\n");
	EXPECT_EQ(first_of(tree), "device-without-driver");
	tree.file("/sys/bus/virtio/devices/virtio0/driver/bind", "");
	EXPECT_NE(first_of(tree), "device-without-driver");
}

} // namespace
