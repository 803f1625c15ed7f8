// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_module.h"

#include "fake_tree.h"

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

constexpr const char *release = "6.1.0-1-cloud-amd64";
const std::string folder = std::string("/lib/modules/") + release;

/// A machine that has tpm_rng.ko and may load it.
void machine(FakeTree &tree, const std::string &capabilities = "000001ffffffffff")
{
	tree.file("/proc/modules", "");
	tree.file("/proc/self/status", "Name:\tx\nCapEff:\t" + capabilities + "\n");
	// libkmod reads only the binary index, so depmod must run. It needs an ELF file; any will do.
	tree.file(folder + "/modules.order", "");
	tree.file(folder + "/modules.builtin", "");
	std::filesystem::create_directories(tree.at(folder + "/updates"));
	std::filesystem::copy_file("/proc/self/exe", tree.at(folder + "/updates/tpm_rng.ko"));
	const auto depmod = "PATH=$PATH:/sbin:/usr/sbin depmod -b " + tree.at("/").string() + " " +
	                    release + " 2>/dev/null";
	ASSERT_EQ(std::system(depmod.c_str()), 0); // NOLINT: PATH for the one command
}

ModuleState inspect(const FakeTree &tree, const std::string &name = "tpm_rng")
{
	const auto modules = KernelModules::open(tree.root(), release);
	EXPECT_TRUE(modules);
	return modules->inspect(name);
}

std::string only_obstacle(const FakeTree &tree)
{
	const auto state = inspect(tree);
	EXPECT_EQ(state.obstacles.size(), 1U);
	return state.obstacles.empty() ? "" : state.obstacles[0];
}

TEST(KernelModule, IsLoadableWhenNothingIsInTheWay)
{
	FakeTree tree;
	machine(tree);
	tree.file("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	tree.file("/sys/module/module/parameters/sig_enforce", "N\n");
	const auto state = inspect(tree);
	EXPECT_FALSE(state.loaded);
	EXPECT_TRUE(state.path);
	EXPECT_TRUE(state.obstacles.empty());
}

TEST(KernelModule, LoadedIsSaid)
{
	FakeTree tree;
	machine(tree);
	tree.file("/sys/module/tpm_rng/refcnt", "0\n");
	EXPECT_TRUE(inspect(tree).loaded);
}

TEST(KernelModule, WhyNotNoLoadableModules)
{
	FakeTree tree;
	machine(tree);
	std::filesystem::remove(tree.at("/proc/modules"));
	EXPECT_NE(only_obstacle(tree).find("CONFIG_MODULES"), std::string::npos);
	const auto modules = KernelModules::open(tree.root(), release);
	const auto loaded = modules->load("tpm_rng");
	ASSERT_FALSE(loaded);
	EXPECT_EQ(loaded.error().code, ExitCode::unavailable);
}

TEST(KernelModule, WhyNotNoFile)
{
	FakeTree tree;
	machine(tree);
	const auto state = inspect(tree, "cpu_rng");
	ASSERT_EQ(state.obstacles.size(), 1U);
	EXPECT_NE(state.obstacles[0].find("no file cpu_rng.ko"), std::string::npos);
	const auto modules = KernelModules::open(tree.root(), release);
	const auto loaded = modules->load("cpu_rng");
	ASSERT_FALSE(loaded);
	EXPECT_EQ(loaded.error().code, ExitCode::unavailable);
}

TEST(KernelModule, WhyNotModulesDisabled)
{
	FakeTree tree;
	machine(tree);
	tree.file("/proc/sys/kernel/modules_disabled", "1\n");
	EXPECT_NE(only_obstacle(tree).find("modules_disabled"), std::string::npos);
}

TEST(KernelModule, WhyNotNoCapability)
{
	FakeTree tree;
	machine(tree, "000001fffffeffff"); // bit 16 is CAP_SYS_MODULE
	EXPECT_NE(only_obstacle(tree).find("CAP_SYS_MODULE"), std::string::npos);
}

TEST(KernelModule, WhyNotContainer)
{
	FakeTree tree;
	machine(tree, "0000000000000000");
	tree.file("/proc/1/environ", std::string("PATH=/bin\0container=lxc\0", 24));
	EXPECT_NE(only_obstacle(tree).find("container"), std::string::npos);
}

TEST(KernelModule, WhyNotSignatureEnforced)
{
	FakeTree tree;
	machine(tree);
	tree.file("/sys/module/module/parameters/sig_enforce", "Y\n");
	EXPECT_NE(only_obstacle(tree).find("sig_enforce"), std::string::npos);
	EXPECT_NE(only_obstacle(tree).find("has no such screen"), std::string::npos)
	    << "no key can be enrolled without UEFI";
}

TEST(KernelModule, WhyNotLockdown)
{
	FakeTree tree;
	machine(tree);
	tree.file("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	EXPECT_NE(only_obstacle(tree).find("lockdown"), std::string::npos);
}

TEST(KernelModule, WhyNotSecureBoot)
{
	FakeTree tree;
	machine(tree);
	tree.file("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	tree.file("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
	          std::string("\6\0\0\0\1", 5));
	const auto obstacle = only_obstacle(tree);
	EXPECT_NE(obstacle.find("Secure Boot"), std::string::npos);
	EXPECT_NE(obstacle.find("mokutil --import"), std::string::npos);
	EXPECT_NE(obstacle.find("press a key within ten seconds"), std::string::npos)
	    << "without a key press MokManager drops the import";
	EXPECT_EQ(obstacle.find("has no such screen"), std::string::npos);
	std::filesystem::remove(tree.at("/sys/kernel/security/lockdown"));
	EXPECT_NE(only_obstacle(tree).find("Secure Boot"), std::string::npos)
	    << "securityfs is missing";
	tree.file("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	EXPECT_TRUE(inspect(tree).obstacles.empty())
	    << "neither shim nor the kernel verifies signatures";
}

} // namespace
