// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/trust_cpu.h"

#include "control/inventory.h"
#include "fake_tree.h"
#include "kernel/kernel_option.h"
#include "run_hwrngctl.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

constexpr const char *off = "the kernel was booted with random.trust_cpu=off";
constexpr const char *not_built = "the kernel was built without CONFIG_RANDOM_TRUST_CPU";

TEST(TrustCpu, TheParameterHasTheKernelsValues)
{
	const auto value = [](const std::string &text) {
		return trust_cpu_parameter("quiet random.trust_cpu=" + text + " ro");
	};
	for (const char *no : {"off", "OFF", "Of", "0", "n", "N", "no", "NO", "f", "false", "0x1"})
		EXPECT_EQ(value(no), false) << no;
	for (const char *yes : {"on", "ON", "oN", "1", "y", "Y", "yes", "t", "true", "1off"})
		EXPECT_EQ(value(yes), true) << yes;
	for (const char *invalid : {"", "o", "x", "2", "-1", "\"\"", "enable", "/off"})
		EXPECT_EQ(value(invalid), std::nullopt) << invalid;
}

TEST(TrustCpu, TheParameterIsFoundAsTheKernelFindsIt)
{
	EXPECT_EQ(trust_cpu_parameter(""), std::nullopt);
	EXPECT_EQ(trust_cpu_parameter("random.trust_cpu"), std::nullopt);
	EXPECT_EQ(trust_cpu_parameter("random.trust_cpu=off"), false);
	EXPECT_EQ(trust_cpu_parameter("\trandom.trust-cpu=off\n"), false);
	EXPECT_EQ(trust_cpu_parameter("random.trust_cpu=\"off\""), false);
	EXPECT_EQ(trust_cpu_parameter("\"random.trust_cpu=off\" ro"), false);
	EXPECT_EQ(trust_cpu_parameter("x=\"a random.trust_cpu=off b\" ro"), std::nullopt);
	EXPECT_EQ(trust_cpu_parameter("xrandom.trust_cpu=off"), std::nullopt);
	EXPECT_EQ(trust_cpu_parameter("random.trust_cpus=off random.trust_bootloader=off"),
	          std::nullopt);
	EXPECT_EQ(trust_cpu_parameter("Random.trust_cpu=off =off random.trust_cpu\"=off"),
	          std::nullopt);
	// The last valid one counts; what follows "--" is for init.
	EXPECT_EQ(trust_cpu_parameter("random.trust_cpu=on random.trust_cpu=off"), false);
	EXPECT_EQ(trust_cpu_parameter("random.trust_cpu=off random.trust_cpu=1"), true);
	EXPECT_EQ(trust_cpu_parameter("random.trust_cpu=off random.trust_cpu=maybe"), false);
	EXPECT_EQ(trust_cpu_parameter("random.trust_cpu=off -- random.trust_cpu=on"), false);
	EXPECT_EQ(trust_cpu_parameter("--x -- random.trust_cpu=off"), std::nullopt);
	EXPECT_EQ(trust_cpu_parameter("--=x random.trust_cpu=off"), false);
}

TEST(TrustCpu, WithoutTheParameterTheConfigurationOfTheKernelCounts)
{
	FakeTree tree;
	const auto reason = [&] { return cpu_distrust(tree.root(), "6.1.0"); };
	EXPECT_EQ(reason(), "");
	tree.file("/boot/config-6.1.0", "CONFIG_A=y\n# CONFIG_RANDOM_TRUST_CPU is not set\n");
	EXPECT_EQ(reason(), not_built);
	EXPECT_EQ(cpu_distrust(tree.root(), "6.1.1"), "") << "another kernel";
	tree.file("/proc/cmdline", "ro random.trust_cpu=on\n");
	EXPECT_EQ(reason(), "");
	tree.file("/boot/config-6.1.0", "CONFIG_RANDOM_TRUST_CPU=y\n");
	EXPECT_EQ(reason(), "");
	tree.file("/proc/cmdline", "ro random.trust_cpu=off\n");
	EXPECT_EQ(reason(), off);
	// Linux 6.2 and later do not have the option.
	tree.file("/proc/cmdline", "ro\n");
	tree.file("/boot/config-6.1.0", "CONFIG_A=y\n");
	EXPECT_EQ(reason(), "");
}

TEST(KernelOption, IsFoundInALargeFile)
{
	FakeTree tree;
	const auto value = [&](const char *name) {
		const auto option = kernel_option(tree.root(), "1", name);
		return option ? option->value : "no file";
	};
	EXPECT_EQ(value("CONFIG_A"), "no file");
	std::string text = "# A comment\n";
	for (int i = 0; i < 2000; i++)
		text += fmt::format("CONFIG_NUMBER_{}={}\n", i, i);
	tree.file("/boot/config-1", text + "# CONFIG_A is not set\nCONFIG_AB=m\nCONFIG_LAST=\"a b\"");
	for (const int i : {0, 199, 1000, 1999}) // on both sides of the pieces in which it is read
		EXPECT_EQ(value(fmt::format("CONFIG_NUMBER_{}", i).c_str()), fmt::format("{}", i));
	EXPECT_EQ(value("CONFIG_A"), "n");
	EXPECT_EQ(value("CONFIG_AB"), "m");
	EXPECT_EQ(value("CONFIG_LAST"), "\"a b\"");
	EXPECT_EQ(value("CONFIG_NUMBER"), "");
	EXPECT_EQ(value("CONFIG_ABC"), "");
	EXPECT_EQ(kernel_option(tree.root(), "1", "CONFIG_A")->file, "/boot/config-1");
}

#if defined(__x86_64__)

/// A machine with this machine's CPU, so that its instructions can be read.
void distrusting_machine(FakeTree &tree)
{
	std::ifstream real("/proc/cpuinfo");
	tree.file("/proc/cpuinfo", {std::istreambuf_iterator<char>(real), {}});
	tree.file("/proc/cmdline", "ro random.trust_cpu=off\n");
	tree.file("/proc/sys/kernel/osrelease", "6.12.0\n");
	tree.file("/sys/class/rtc/rtc0/name", "");
}

TEST(TrustCpu, TheCommandsSayWhyTheCpuEarnsNoCredit)
{
	FakeTree tree;
	distrusting_machine(tree);
	const auto names = take_inventory(tree.root(), {}).cpu_instructions;
	if (names.empty())
		GTEST_SKIP() << "this CPU has no random instruction";
	const auto all = fmt::format("{}", fmt::join(names, ", "));
	const auto &name = names.back();
	const std::string sentence =
	    fmt::format("{} earn{} no credit: {}\n", all, names.size() == 1 ? "s" : "", off);
	EXPECT_TRUE(run(tree, "list").out.contains(sentence)) << run(tree, "list").out;
	EXPECT_TRUE(run(tree, "status").out.contains(sentence)) << run(tree, "status").out;
	const auto policy = run(tree, "policy --explain").out;
	EXPECT_TRUE(policy.contains(std::string("read     CPU instruction; earns no credit: ") + off))
	    << policy;
	const auto doctor = run(tree, "doctor --all").out;
	EXPECT_TRUE(doctor.contains("[cpu-not-trusted]")) << doctor;
	EXPECT_TRUE(doctor.contains(std::string(off) + ", so hwrngd does not credit the CPU"))
	    << doctor;
	const auto source = nlohmann::json::parse(run(tree, "list -o json").out)["sources"].back();
	EXPECT_EQ(source["distrust"], off);
	EXPECT_EQ(source["credit_bits_per_1000_bytes"], 0);

	auto fed = run(tree, "feed --once --dry-run -s " + name);
	EXPECT_EQ(fed.code, 0) << fed.err;
	EXPECT_TRUE(fed.out.contains(std::string("2500 bytes, credited with 0 bits (") + off + ")"))
	    << fed.out;
	auto document = nlohmann::json::parse(run(tree, "feed --once --dry-run -o json").out);
	EXPECT_EQ(document["would_credit_bits"], 0);
	EXPECT_EQ(document["distrust"], off);

	// The administrator's decision about one source counts only for that source.
	tree.file("/etc/hwrngd.conf", "[source." + name + "]\ncredit = 64\n");
	document = nlohmann::json::parse(run(tree, "feed --once --dry-run -o json -s " + name).out);
	EXPECT_EQ(document["would_credit_bits"], 2500 * 8 * 64 / 1024);
	EXPECT_EQ(document["distrust"], nullptr);
	EXPECT_FALSE(run(tree, "list").out.contains(sentence));
	if (names.size() > 1) {
		EXPECT_TRUE(run(tree, "list").out.contains(names.front() + " earns no credit: "));
		// A source that earns credit comes first.
		document = nlohmann::json::parse(run(tree, "feed --once --dry-run -o json").out);
		EXPECT_EQ(document["source"], name);
	}
}

TEST(TrustCpu, WithTrustTheCpuIsCredited)
{
	FakeTree tree;
	distrusting_machine(tree);
	tree.file("/proc/cmdline", "ro random.trust_cpu=off random.trust_cpu=on\n");
	if (take_inventory(tree.root(), {}).cpu_instructions.empty())
		GTEST_SKIP() << "this CPU has no random instruction";
	for (const char *command : {"list", "status", "policy --explain", "doctor --all"})
		EXPECT_FALSE(run(tree, command).out.contains("credit:")) << command;
	const auto document = nlohmann::json::parse(run(tree, "feed --once --dry-run -o json").out);
	EXPECT_GT(document["would_credit_bits"], 0);
}

#endif

} // namespace
