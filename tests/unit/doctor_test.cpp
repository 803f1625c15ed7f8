// SPDX-License-Identifier: GPL-2.0-or-later
// `hwrngctl doctor` on trees made of files.
#include "doctor/diagnosis.h"
#include "fake_daemon.h"
#include "fake_tree.h"
#include "full_status.h"
#include "run_hwrngctl.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// A machine that uses virtio-rng without any problem.
class HealthyTree : public FakeTree {
public:
	HealthyTree()
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

TEST(Doctor, AFileOfModulesReplacesLaterOnesOfTheSameName)
{
	HealthyTree tree;
	tree.file("/usr/lib/modules-load.d/tpm.conf", "tpm_rng\n");
	const auto boot_modules = [&] {
		return find_facts(tree.root(), Inventory(), Environment(), Config()).boot_modules;
	};
	EXPECT_EQ(boot_modules().size(), 1U);
	tree.file("/etc/modules-load.d/tpm.conf", "");
	EXPECT_EQ(boot_modules().size(), 0U);
}

std::string first_of(const FakeTree &tree)
{
	const auto ran = run(tree, "doctor --output=json");
	const auto document = nlohmann::json::parse(ran.out);
	const auto &findings = document.at("findings");
	EXPECT_EQ(ran.code, document.at("to_do") > 0 ? 1 : 0);
	return findings.empty() ? "nothing" : findings.at(0).at("id").get<std::string>();
}

TEST(Doctor, AHealthyMachineIsReportedAsSuch)
{
	const HealthyTree tree;
	const auto ran = run(tree, "doctor");
	EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
	EXPECT_TRUE(ran.out.starts_with("Nothing needs doing: ")) << ran.out;
	EXPECT_EQ(std::ranges::count(ran.out, '\n'), 1) << "there must be only one line";
	EXPECT_NE(run(tree, "doctor --all").out.find("[entropy-avail-256]"), std::string::npos);
}

TEST(Doctor, TheFilesAreRead)
{
	HealthyTree tree;
	tree.file("/dev/hwrng", std::string(256, '\0'));
	EXPECT_EQ(first_of(tree), "hwrng-sick");
	tree.file("/dev/kmsg", "6,339,95140900,-;random: crng init done\n");
	tree.file("/dev/hwrng", "short, but not an error");
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
	EXPECT_NE(ran.out.find("  do    stop loading it at boot:\n"
	                       "            sed -i '/^[[:space:]]*bcm2708[-_]rng/d' /etc/modules\n"),
	          std::string::npos)
	    << "a command has a line of its own";

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

TEST(Doctor, AContainerIsRecognisedByItsMarks)
{
	HealthyTree tree;
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

TEST(Doctor, WithoutSysfsNothingIsReportedAboutTheHardware)
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

TEST(Doctor, ADaemonWithoutItsSocketIsRecognised)
{
	HealthyTree tree;
	tree.file("/run/systemd/system/x", "");
	tree.file("/lib/systemd/system/hwrngd.service", "");
	tree.file("/etc/hwrngd.conf", "status_socket = \"/run/other\"\n");
	EXPECT_EQ(first_of(tree), "hwrngd-stopped");
	EXPECT_NE(run(tree, "doctor").out.find("  seen  /run/other: no process listens\n"),
	          std::string::npos);
	tree.file("/etc/hwrngd.conf", "status_socket = \"\"\n");
	EXPECT_EQ(first_of(tree), "hwrngd-stopped");
	tree.file("/proc/7/comm", "hwrngd\n");
	EXPECT_EQ(first_of(tree), "nothing");
}

TEST(Doctor, ASourceThatTheDaemonQuarantinedIsReported)
{
	HealthyTree tree;
	const FakeDaemon daemon(tree, to_json(full_status()).dump());
	EXPECT_EQ(first_of(tree), "source-quarantined");
	const auto seen = run(tree, "doctor").out;
	EXPECT_NE(seen.find("usb failed hwrngd's tests and is not used"), std::string::npos) << seen;
	EXPECT_NE(seen.find("  seen  usb: it repeats itself\n"), std::string::npos) << seen;
}

TEST(Doctor, ASourceThatTheDaemonSuspectsIsNotReported)
{
	HealthyTree tree;
	auto status = full_status();
	status.sources.at(0).state = "suspect";
	const FakeDaemon daemon(tree, to_json(status).dump());
	EXPECT_EQ(first_of(tree), "nothing");
}

TEST(Doctor, AHwrngThatTheKernelDoesNotReadIsReported)
{
	HealthyTree tree;
	const auto read = run(tree, "doctor").out;
	EXPECT_NE(read.find("by itself. hwrngd is not needed"), std::string::npos) << read;
	std::filesystem::remove(tree.at("/proc/5/comm"));
	const auto unread = run(tree, "doctor").out;
	EXPECT_NE(unread.find("does not read it by itself"), std::string::npos) << unread;
}

TEST(Doctor, WhatCannotBeCheckedIsReported)
{
	const HealthyTree tree;
	for (const char *file : {"/dev/hwrng", "/dev/kmsg", "/proc/2/comm"})
		std::filesystem::remove(tree.at(file));
	const auto seen = run(tree, "doctor").out;
	EXPECT_TRUE(seen.starts_with("Not checked: the kernel's log (No such file or directory); the "
	                             "output of /dev/hwrng (No such file or directory); other users' "
	                             "processes (run as root).\n"))
	    << seen;
}

TEST(Doctor, AMaskedDaemonNeedNotBeStarted)
{
	HealthyTree tree;
	tree.file("/run/systemd/system/x", "");
	tree.file("/usr/lib/systemd/system/hwrngd.service", "");
	EXPECT_EQ(first_of(tree), "hwrngd-stopped");
	tree.symlink("/etc/systemd/system/hwrngd.service", "/dev/null");
	EXPECT_EQ(first_of(tree), "nothing");
}

TEST(Doctor, AVirtioDeviceWithoutItsDriverIsNamed)
{
	HealthyTree tree;
	tree.hwrng("", "none");
	tree.file("/sys/bus/virtio/devices/virtio0/device", "0x0004\n");
	EXPECT_EQ(first_of(tree), "device-without-driver");
	tree.file("/sys/bus/virtio/devices/virtio0/driver/bind", "");
	EXPECT_NE(first_of(tree), "device-without-driver");
	std::filesystem::remove_all(tree.at("/sys/bus/virtio/devices/virtio0/driver"));
	EXPECT_NE(run(tree, "doctor").out.find("modprobe -a virtio_rng\n"), std::string::npos);
	tree.file("/sys/bus/virtio/drivers/virtio_rng/bind", "");
	EXPECT_EQ(first_of(tree), "device-without-driver");
	EXPECT_EQ(run(tree, "doctor").out.find("modprobe"), std::string::npos)
	    << "it is loaded already";
}

TEST(Doctor, AVirtualMachineIsRecognisedByItsDescription)
{
	HealthyTree tree;
	tree.file("/proc/device-tree/model", std::string("Raspberry Pi 3\0", 15));
	EXPECT_EQ(hypervisor_of(tree.root()), "");
	tree.file("/proc/device-tree/model", std::string("linux,dummy-virt\0", 17));
	EXPECT_EQ(hypervisor_of(tree.root()), "unknown");
	tree.file("/proc/device-tree/model", "");
	for (const char *vendor : {"QEMU", "OpenStack Foundation", "Hetzner"}) {
		tree.file("/sys/class/dmi/id/sys_vendor", vendor);
		EXPECT_EQ(hypervisor_of(tree.root()), vendor);
	}
	tree.file("/sys/class/dmi/id/sys_vendor", "Google"); // also the vendor of Chromebooks
	EXPECT_EQ(hypervisor_of(tree.root()), "");
	tree.file("/sys/class/dmi/id/product_name", "Google Compute Engine");
	EXPECT_EQ(hypervisor_of(tree.root()), "Google");
}

TEST(Doctor, TheHostOfXensGuestsIsNotAGuest)
{
	HealthyTree tree;
	tree.file("/proc/cpuinfo", "flags\t\t: rdrand rdseed hypervisor\n");
	tree.file("/sys/hypervisor/type", "xen\n");
	tree.file("/proc/xen/capabilities", "\n");
	EXPECT_EQ(hypervisor_of(tree.root()), "xen");
	tree.file("/proc/xen/capabilities", "control_d\n");
	EXPECT_EQ(hypervisor_of(tree.root()), "");
}

TEST(Doctor, WhatTheFirmwareSaysAboutATpmIsRead)
{
	HealthyTree tree;
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
	EXPECT_EQ(run(tree, "doctor").out.find("modprobe"), std::string::npos)
	    << "they are loaded already";
	tree.file("/sys/class/tpm/tpm0/tpm_version_major", "2\n");
	EXPECT_EQ(first_of(tree), "tpm-not-hwrng");
	tree.file("/sys/module/tpm_rng/tpm_rng.0/state", "start-up\n");
	EXPECT_EQ(first_of(tree), "tpm-not-hwrng");
	tree.file("/sys/module/tpm_rng/tpm_rng.0/state", "back-off\n");
	EXPECT_EQ(first_of(tree), "tpm-error");
	tree.file("/sys/module/tpm_rng/tpm_rng.0/state", "withdrawn\n");
	EXPECT_EQ(first_of(tree), "hwrng-withdrawn");
	std::filesystem::remove_all(tree.at("/sys/module"));
	tree.file("/sys/class/tpm/tpm0/enabled", "1\n");
	EXPECT_EQ(first_of(tree), "tpm-not-hwrng");
	tree.file("/sys/class/tpm/tpm0/active", "0\n");
	EXPECT_EQ(first_of(tree), "tpm-error");
}

} // namespace
