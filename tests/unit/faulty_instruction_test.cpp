// SPDX-License-Identifier: GPL-2.0-or-later
// A CPU instruction with an erratum that the kernel does not know, as the commands show it.
#include "fake_tree.h"
#include "run_hwrngctl.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

#if defined(__x86_64__)

namespace {

/// A Zen 5 without new microcode, on a kernel that does not hide RDSEED.
void zen5(FakeTree &tree, const std::string &flags = "fpu rdseed")
{
	tree.file("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 26\n"
	                           "model\t\t: 68\nstepping\t: 0\nmicrocode\t: 0xb404034\n"
	                           "flags\t\t: " +
	                               flags + "\n");
	tree.file("/proc/sys/kernel/osrelease", "6.1.0\n");
	tree.file("/sys/class/rtc/rtc0/name", "");
}

constexpr const char *reason = "is not used: AMD-SB-7055, update the microcode";

TEST(FaultyInstruction, IsShownWithTheReason)
{
	FakeTree tree;
	zen5(tree);
	auto ran = run(tree, "list");
	EXPECT_TRUE(ran.out.contains("\nrdseed " + std::string(reason) + "\n")) << ran.out;
	ran = run(tree, "status");
	EXPECT_TRUE(ran.out.contains("\nCPU         rdseed " + std::string(reason) + "\n")) << ran.out;
	ran = run(tree, "policy --explain");
	EXPECT_TRUE(ran.out.contains("rdseed             ignore   " + std::string(reason))) << ran.out;
	ran = run(tree, "doctor --all");
	EXPECT_TRUE(ran.out.contains("[cpu-erratum]")) << ran.out;
	EXPECT_TRUE(ran.out.contains("/proc/cpuinfo: rdseed: AMD-SB-7055")) << ran.out;
	EXPECT_TRUE(ran.out.contains("newer microcode")) << ran.out;
	const auto status = nlohmann::json::parse(run(tree, "status -o json").out);
	EXPECT_EQ(status["cpu_instructions"], nlohmann::json::array());
	EXPECT_EQ(status["faulty_instructions"][0]["name"], "rdseed");
	EXPECT_EQ(status["sources"][0]["absent"], reason);
	EXPECT_EQ(status["sources"][0]["credit_bits_per_1000_bytes"], 0);
}

TEST(FaultyInstruction, IsNeverRead)
{
	FakeTree tree;
	zen5(tree);
	for (const auto *arguments : {"test -s rdseed", "bench -s rdseed", "assess -s rdseed",
	                              "feed --once --dry-run -s rdseed", "feed --once --dry-run"}) {
		const auto ran = run(tree, arguments);
		EXPECT_EQ(ran.code, 3) << arguments;
		EXPECT_FALSE((ran.out + ran.err).contains("once it exists")) << ran.err;
	}
	EXPECT_TRUE(run(tree, "test -s rdseed").err.contains("rdseed " + std::string(reason)));
}

TEST(FaultyInstruction, DoctorNeverAdvisesToLoadItsModule)
{
	FakeTree tree;
	zen5(tree);
	tree.hwrng("", "none");
	auto ran = run(tree, "doctor --all");
	EXPECT_TRUE(ran.out.contains("[no-hwrng]")) << ran.out;
	EXPECT_FALSE(ran.out.contains("cpu_rng")) << ran.out;
	EXPECT_FALSE(ran.out.contains("load cpu")) << ran.out;
	EXPECT_FALSE(ran.out.contains("cpu-instructions-hidden")) << ran.out;
	// The module would serve RDRAND.
	zen5(tree, "fpu rdseed rdrand");
	ran = run(tree, "doctor --all");
	EXPECT_TRUE(ran.out.contains("load cpu")) << ran.out;
	EXPECT_FALSE(ran.out.contains("cpu_rng.rdseed")) << ran.out;
}

} // namespace

#endif
