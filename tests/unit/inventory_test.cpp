// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/environment.h"

#include "fake_broker.h"
#include "fake_tree.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

TEST(Inventory, OfAnEmptyTreeIsEmptyAndNotAnError)
{
	FakeTree tree;
	const auto inventory = take_inventory(tree.root(), Config());
	EXPECT_FALSE(inventory.hwrng);
	EXPECT_TRUE(inventory.sources.empty());
	EXPECT_TRUE(inventory.tpms.empty());
	EXPECT_EQ(inventory.entropy_available, std::nullopt);
	const auto around = inspect_environment(tree.root(), inventory);
	EXPECT_TRUE(around.feeders.empty());
	EXPECT_FALSE(around.sees_all_processes);
	ASSERT_EQ(around.modules.size(), 2U);
	EXPECT_FALSE(around.modules[0].loaded);
}

TEST(Inventory, KernelsConfigurationOfFedora)
{
	FakeTree tree;
	tree.file("/proc/sys/kernel/osrelease", "6.12.0\n");
	tree.file("/lib/modules/6.12.0/config", "CONFIG_A=y\nCONFIG_HW_RANDOM_TPM=y\n");
	const auto around = inspect_environment(tree.root(), take_inventory(tree.root(), Config()));
	EXPECT_EQ(around.config_hw_random_tpm, "y");
	EXPECT_EQ(around.config_file, "/lib/modules/6.12.0/config");
}

TEST(Inventory, OfACloudGuest)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0 cpu_rng.rdseed odd", "virtio_rng.0", false, "900");
	tree.file("/proc/sys/kernel/osrelease", "6.1.0-1-cloud-amd64\n");
	tree.file("/proc/sys/kernel/random/entropy_avail", "256\n");
	tree.file("/proc/sys/kernel/random/poolsize", "256\n");
	tree.file("/boot/config-6.1.0-1-cloud-amd64",
	          "CONFIG_A=y\n# CONFIG_HW_RANDOM_TPM is not set\n");
	tree.file("/sys/class/tpm/tpm0/tpm_version_major", "2\n");
	tree.file("/sys/class/tpm/tpm0/device/description", "TPM 2.0 Device\n");
	tree.file("/sys/class/tpm/tpm1/tpm_version_major", "1\n");
	tree.file("/sys/module/tpm_rng/parameters/quality", "333\n");
	tree.file("/dev/tpmrm0", "");
	tree.file("/proc/2/comm", "kthreadd\n");
	tree.file("/proc/57/comm", "hwrng\n");
	tree.file("/proc/58/comm", "rngd\n");
	tree.file("/proc/59/comm", "jitterentropy-r\n");
	tree.file("/proc/60/comm", "rngdx\n");
	const auto inventory = take_inventory(tree.root(), Config());
	EXPECT_EQ(inventory.kernel, "6.1.0-1-cloud-amd64");
	EXPECT_TRUE(inventory.new_random_device());

	ASSERT_EQ(inventory.sources.size(), 5U);
	EXPECT_EQ(inventory.sources[0].driver, "virtio_rng");
	EXPECT_EQ(inventory.sources[0].claim, 900U); // what the kernel shows for the current one
	EXPECT_TRUE(inventory.sources[0].current);
	EXPECT_EQ(inventory.sources[1].claim, 333U); // our module's parameter
	EXPECT_EQ(inventory.sources[2].claim, 512U);
	EXPECT_EQ(inventory.sources[3].driver, "");
	EXPECT_EQ(inventory.sources[4].name, "tpmrm0");
	EXPECT_EQ(inventory.sources[4].kind, SourceKind::tpm2);

	ASSERT_EQ(inventory.tpms.size(), 2U);
	EXPECT_EQ(inventory.tpms[0].version, "2.0");
	EXPECT_EQ(inventory.tpms[0].hwrng, "tpm_rng.0");
	EXPECT_EQ(inventory.tpms[1].version, "1.2");
	EXPECT_EQ(inventory.tpms[1].hwrng, std::nullopt);

	const auto around = inspect_environment(tree.root(), inventory);
	EXPECT_EQ(around.config_hw_random_tpm, "n");
	EXPECT_EQ(around.config_file, "/boot/config-6.1.0-1-cloud-amd64");
	EXPECT_TRUE(around.sees_all_processes);
	ASSERT_EQ(around.feeders.size(), 3U);
	EXPECT_EQ(around.feeders[0].pid, 57U);
	EXPECT_NE(around.feeders[0].what.find("virtio_rng.0"), std::string::npos);
	EXPECT_EQ(around.feeders[1].name, "rngd");
}

TEST(Inventory, AQualityOfZeroIsNotAClaim)
{
	FakeTree tree;
	tree.hwrng("tpm-rng-0", "tpm-rng-0", false, "0");
	const auto inventory = take_inventory(tree.root(), Config());
	ASSERT_EQ(inventory.sources.size(), 1U);
	EXPECT_EQ(inventory.sources[0].claim, 512U);
}

TEST(Inventory, ConfiguredSourcesAreListed)
{
	FakeTree tree;
	tree.hwrng("taken", "taken");
	tree.file("/dev/ttyACM0", "");
	Config config;
	config.sources["onerng"] = {.credit = 100, .path = "/dev/ttyACM0", .speed = 9600};
	config.sources["unplugged"] = {.path = "/dev/ttyACM1"};
	config.sources["camera"] = {.command = {"lavarnd", "--raw"}};
	config.sources["taken"] = {.command = {"true"}};
	config.sources["rd*"] = {.credit = 1};
	const auto inventory = take_inventory(tree.root(), config);
	ASSERT_EQ(inventory.sources.size() - inventory.cpu_instructions.size(), 4U);
	EXPECT_EQ(inventory.sources.front().kind, SourceKind::hwrng)
	    << "the kernel's source has priority";
	const auto &unplugged = inventory.sources.back();
	EXPECT_EQ(unplugged.name, "unplugged");
	EXPECT_EQ(unplugged.kind, SourceKind::generator);
	EXPECT_EQ(unplugged.absent, "is absent: /dev/ttyACM1 does not exist");
	const auto &onerng = inventory.sources[inventory.sources.size() - 2];
	EXPECT_EQ(onerng.absent, "");
	EXPECT_EQ(onerng.name, "onerng");
	EXPECT_EQ(onerng.kind, SourceKind::generator);
	EXPECT_EQ(onerng.path, "/dev/ttyACM0");
	EXPECT_EQ(onerng.speed, 9600U);
	EXPECT_EQ(onerng.claim, 100U);
	const auto &camera = inventory.sources[inventory.sources.size() - 3];
	EXPECT_EQ(camera.name, "camera");
	EXPECT_EQ(camera.kind, SourceKind::command);
	EXPECT_EQ(camera.command.size(), 2U);
	EXPECT_EQ(camera.claim, 0U);
}

TEST(Inventory, ADeviceThatIsPluggedInLaterIsNoLongerAbsent)
{
	FakeTree tree;
	Config config;
	config.sources["late"] = {.credit = 100, .path = "/dev/ttyACM0"};
	EXPECT_FALSE(take_inventory(tree.root(), config).sources.back().absent.empty());
	tree.file("/dev/ttyACM0", "");
	const auto here = take_inventory(tree.root(), config).sources.back();
	EXPECT_EQ(here.absent, "");
	EXPECT_EQ(here.driver, "/dev/ttyACM0");
	EXPECT_EQ(here.claim, 100U);
}

TEST(Inventory, WhatAUnitHidesIsNotAbsent)
{
	const FakeTree seen;
	FakeTree hidden;
	hidden.file("/dev/ttyACM0", "");
	Config config;
	config.sources["plugged"] = {.path = "/dev/ttyACM0"};
	config.sources["unplugged"] = {.path = "/dev/ttyACM1"};
	auto root = seen.root();
	root.ask(std::make_shared<FakeBroker>(hidden.root()));
	const auto sources = take_inventory(root, config).sources;
	EXPECT_EQ(sources[sources.size() - 2].absent, "") << "PrivateDevices= hides it";
	EXPECT_EQ(sources.back().absent, "is absent: /dev/ttyACM1 does not exist");
}

TEST(Inventory, WhatCannotBeLookedAtIsNotAbsent)
{
	FakeTree tree;
	tree.symlink("/loop", "loop");
	tree.symlink("/dangling", "nothing");
	Config config;
	config.sources["a"] = {.path = "/loop"};
	config.sources["b"] = {.path = "/dangling"};
	const auto sources = take_inventory(tree.root(), config).sources;
	EXPECT_EQ(sources[sources.size() - 2].absent, "") << "to open it says what is wrong";
	EXPECT_EQ(sources.back().absent, "is absent: /dangling does not exist");
}

TEST(Inventory, OtherMachinesAreListedWithTheProgramThatPullsFromThem)
{
	const FakeTree tree;
	Config config;
	config.sources["far"] = {.credit = 100, .ssh = "rng@[::1]:2222", .identity = "/etc/id"};
	config.sources["local"] = {.egd = "unix:/run/egd"};
	config.sources["near"] = {.egd = "tls:rng.example.org:8889",
	                          .tls_ca = "/etc/ca.pem",
	                          .tls_certificate = "/etc/c.pem",
	                          .tls_key = "/etc/c.key"};
	const auto inventory = take_inventory(tree.root(), config);
	const auto said = [&](const std::string &name) {
		const auto found = std::ranges::find(inventory.sources, name, &SourceInfo::name);
		EXPECT_NE(found, inventory.sources.end());
		auto words = found->command;
		EXPECT_TRUE(words.at(0).ends_with("/hwrngd-pull")) << words.at(0);
		EXPECT_EQ(words.at(1), name);
		words.erase(words.begin(), words.begin() + 2);
		return std::tuple(found->kind, found->driver, found->claim, words);
	};
	using Words = std::vector<std::string>;
	const auto at = [&](const char *path) { return tree.at(path).string(); };
	EXPECT_EQ(said("far"), std::tuple(SourceKind::ssh, "rng@[::1]:2222", 100U,
	                                  Words({"ssh", "rng@[::1]:2222", at("/etc/id"),
	                                         at("/etc/hwrngd/ssh/known_hosts")})));
	EXPECT_EQ(said("local"), std::tuple(SourceKind::egd, "unix:/run/egd", 0U,
	                                    Words({"egd", "unix:" + at("/run/egd"), "", "", ""})));
	EXPECT_EQ(said("near"), std::tuple(SourceKind::egd, "tls:rng.example.org:8889", 0U,
	                                   Words({"egd", "tls:rng.example.org:8889", at("/etc/ca.pem"),
	                                          at("/etc/c.pem"), at("/etc/c.key")})));
	EXPECT_STREQ(name(SourceKind::ssh), "ssh");
	EXPECT_STREQ(name(SourceKind::egd), "egd");
}

TEST(Inventory, ATpm12OfAnOldKernelIsRecognisedByItsFiles)
{
	FakeTree tree;
	tree.file("/sys/class/tpm/tpm0/caps", "Manufacturer: 0x49465800\n");
	tree.file("/sys/class/tpm/tpm1/dev", "10:224\n");
	const auto inventory = take_inventory(tree.root(), Config());
	ASSERT_EQ(inventory.tpms.size(), 2U);
	EXPECT_EQ(inventory.tpms[0].version, "1.2");
	EXPECT_EQ(inventory.tpms[1].version, "2.0");
}

} // namespace
