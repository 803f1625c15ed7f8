// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/source.h"

#include "fake_tree.h"

#include <array>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

TEST(CpuInstruction, FollowsTheKernelsFlags)
{
	FakeTree tree;
	EXPECT_TRUE(cpu_instructions(tree.root()).empty());
	tree.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu rdrandx xrdseed\n");
	EXPECT_TRUE(cpu_instructions(tree.root()).empty());
#if defined(__x86_64__)
	tree.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu rdrand rdseed\n");
	EXPECT_EQ(cpu_instructions(tree.root()), (std::vector<std::string>{"rdseed", "rdrand"}));
	tree.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu rdrand\n");
	EXPECT_EQ(cpu_instructions(tree.root()), (std::vector<std::string>{"rdrand"}));
#elif defined(__aarch64__)
	tree.file("/proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd rng\n");
	EXPECT_EQ(cpu_instructions(tree.root()), (std::vector<std::string>{"rndrrs", "rndr"}));
#endif
}

TEST(CpuInstruction, UnknownNameIsNoSource)
{
	const auto source = open_cpu_instruction("rdnonsense");
	ASSERT_FALSE(source);
	EXPECT_EQ(source.error().code, ExitCode::no_source);
}

TEST(CpuInstruction, FillsOddSizesOnThisMachine)
{
	const auto names = cpu_instructions(Root("/"));
	if (names.empty())
		GTEST_SKIP() << "this machine's CPU has no random instruction";
	for (const auto &name : names) {
		auto source = open_cpu_instruction(name);
		ASSERT_TRUE(source);
		// 16 guard bytes reveal a write beyond the end. 19 zero bytes in a row cannot be chance.
		std::array<uint8_t, 35> bytes{};
		const auto n = fill(**source, std::span(bytes).first(19));
		ASSERT_TRUE(n) << n.error().message;
		EXPECT_EQ(*n, 19U);
		EXPECT_NE(std::count(bytes.begin(), bytes.begin() + 19, 0), 19);
		EXPECT_EQ(std::count(bytes.begin() + 19, bytes.end(), 0), 16);
	}
}

} // namespace
