// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/source.h"

#include "fake_tree.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

TEST(CpuInstruction, FollowsTheKernelsFlags)
{
	FakeTree tree;
	EXPECT_TRUE(cpu_instructions(tree.root()).usable.empty());
#if !defined(__powerpc64__)
	tree.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu rdrandx xrdseed\n");
	EXPECT_TRUE(cpu_instructions(tree.root()).usable.empty());
#endif
#if defined(__x86_64__)
	tree.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu rdrand rdseed\n");
	EXPECT_EQ(cpu_instructions(tree.root()).usable, (std::vector<std::string>{"rdseed", "rdrand"}));
	tree.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu rdrand\n");
	EXPECT_EQ(cpu_instructions(tree.root()).usable, (std::vector<std::string>{"rdrand"}));
#elif defined(__powerpc64__)
	// Whatever the file says, the kernel's capabilities count.
	tree.file("/proc/cpuinfo", "processor\t: 0\ncpu\t\t: POWER9\n");
	EXPECT_LE(cpu_instructions(tree.root()).usable.size(), 1U);
#elif defined(__aarch64__)
	tree.file("/proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd rng\n");
	EXPECT_EQ(cpu_instructions(tree.root()).usable, (std::vector<std::string>{"rndrrs", "rndr"}));
#endif
}

#if defined(__x86_64__)

struct Part {
	unsigned family, model, stepping, microcode;
};

/// The record of a CPU in /proc/cpuinfo, without its microcode.
std::string record(const Part &cpu, const char *flags, const char *vendor)
{
	return fmt::format("processor\t: 0\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\n"
	                   "model name\t: AMD\nstepping\t: {}\nflags\t\t: {}\n",
	                   vendor, cpu.family, cpu.model, cpu.stepping, flags);
}

std::string cpuinfo(const Part &cpu, const char *flags = "fpu rdrand rdseed",
                    const char *vendor = "AuthenticAMD")
{
	return fmt::format("{}microcode\t: {:#x}\n", record(cpu, flags, vendor), cpu.microcode);
}

/// ZEN_MODEL_STEP_UCODE() of arch/x86/kernel/cpu/amd.c in Linux 7.3: zen5_rdseed_microcode[].
constexpr std::array<Part, 9> first_good{{
    {0x1a, 0x02, 1, 0x0b00215a},
    {0x1a, 0x08, 1, 0x0b008121},
    {0x1a, 0x11, 0, 0x0b101054},
    {0x1a, 0x24, 0, 0x0b204037},
    {0x1a, 0x44, 0, 0x0b404035},
    {0x1a, 0x44, 1, 0x0b404108},
    {0x1a, 0x60, 0, 0x0b600037},
    {0x1a, 0x68, 0, 0x0b608038},
    {0x1a, 0x70, 0, 0x0b700037},
}};

/// Does that kernel clear the flag rdseed? It chooses init_amd_zen2() and init_amd_zen5() by these
/// models (bsp_init_amd()), and then asks x86_match_min_microcode_rev().
bool kernel_hides_rdseed(const Part &cpu)
{
	const auto in = [&](unsigned first, unsigned last) {
		return cpu.model >= first && cpu.model <= last;
	};
	if (cpu.family == 0x17) {
		const bool zen2 = in(0x30, 0x4f) || in(0x60, 0x7f) || in(0x90, 0x91) || in(0xa0, 0xaf);
		return zen2 && cpu.model == 0x47 && cpu.stepping == 0;
	}
	const bool zen5 = in(0x00, 0x2f) || in(0x40, 0x4f) || in(0x60, 0x7f) || in(0xd0, 0xd7);
	if (cpu.family != 0x1a || !zen5)
		return false;
	return std::ranges::none_of(first_good, [&](const Part &good) {
		return good.family == cpu.family && good.model == cpu.model &&
		       good.stepping == cpu.stepping && good.microcode <= cpu.microcode;
	});
}

/// init_amd_bd() and init_amd_jg() call clear_rdrand_cpuid_bit().
bool kernel_hides_rdrand(const Part &cpu)
{
	return cpu.family == 0x15 || cpu.family == 0x16;
}

/// The revisions of microcode that matter to a CPU: unknown, those around the first good one of its
/// part, and those of other parts.
std::vector<unsigned> revisions_of(const Part &cpu)
{
	std::vector<unsigned> revisions{0, 0x01000065}; // the latter is QEMU's
	for (const auto &good : first_good)
		// Other families have no limit, so one revision will do.
		if (cpu.family == good.family || &good == first_good.data())
			for (const unsigned revision : {good.microcode - 1, good.microcode, good.microcode + 1})
				revisions.push_back(revision);
	return revisions;
}

TEST(CpuInstruction, ErrataAreThoseOfTheKernel)
{
	size_t hidden = 0;
	const auto compare = [&](const Part &cpu, const std::string &text) {
		const auto found = cpu_instructions_in(text);
		std::vector<std::string> good;
		if (!kernel_hides_rdseed(cpu))
			good.emplace_back("rdseed");
		if (!kernel_hides_rdrand(cpu))
			good.emplace_back("rdrand");
		hidden += 2 - good.size();
		ASSERT_EQ(found.usable, good) << text;
		ASSERT_EQ(found.faulty.size(), 2 - good.size()) << text;
	};
	for (unsigned family = 0; family <= 0x1f; family++)
		for (unsigned model = 0; model <= 0xff; model++)
			for (unsigned stepping = 0; stepping <= 0xf; stepping++) {
				Part cpu{family, model, stepping, 0};
				const auto text = record(cpu, "rdrand rdseed", "AuthenticAMD") + "microcode\t: ";
				for (const unsigned microcode : revisions_of(cpu)) {
					cpu.microcode = microcode;
					compare(cpu, text + fmt::format("{:#x}", microcode));
				}
			}
	EXPECT_GT(hidden, 50'000U);
}

TEST(CpuInstruction, OfOtherVendorsHasNoErratum)
{
	for (const char *vendor : {"GenuineIntel", "HygonGenuine", ""}) {
		const auto found =
		    cpu_instructions_in(cpuinfo({0x1a, 0x02, 1, 0x0b002159}, "rdrand rdseed", vendor));
		EXPECT_EQ(found.usable, (std::vector<std::string>{"rdseed", "rdrand"})) << vendor;
		EXPECT_TRUE(found.faulty.empty()) << vendor;
	}
}

TEST(CpuInstruction, AnErratumExplainsWhatTheKernelHides)
{
	auto found = cpu_instructions_in(cpuinfo({0x1a, 0x44, 0, 0x0b404034}, "fpu rdrand"));
	EXPECT_EQ(found.usable, std::vector<std::string>{"rdrand"});
	ASSERT_EQ(found.faulty.size(), 1U);
	EXPECT_EQ(found.faulty[0].name, "rdseed");
	EXPECT_EQ(found.faulty[0].erratum, "AMD-SB-7055, update the microcode");
	// With good microcode, a hypervisor may still hide it.
	found = cpu_instructions_in(cpuinfo({0x1a, 0x44, 0, 0x0b404035}, "fpu rdrand"));
	EXPECT_TRUE(found.faulty.empty());
	// Many of these CPUs have no RDRAND.
	found = cpu_instructions_in(cpuinfo({0x15, 0x02, 0, 0}, "fpu"));
	EXPECT_TRUE(found.usable.empty());
	EXPECT_TRUE(found.faulty.empty());
	found = cpu_instructions_in(cpuinfo({0x15, 0x65, 1, 0}, "fpu rdrand"));
	EXPECT_TRUE(found.usable.empty());
	ASSERT_EQ(found.faulty.size(), 1U);
	EXPECT_EQ(found.faulty[0].name, "rdrand");
}

TEST(CpuInstruction, TheFirstCpuCounts)
{
	const auto old = cpuinfo({0x1a, 0x44, 0, 0x0b404034});
	const auto fixed = cpuinfo({0x1a, 0x44, 0, 0x0b404035});
	EXPECT_EQ(cpu_instructions_in(fixed + "\n" + old).faulty.size(), 0U);
	EXPECT_EQ(cpu_instructions_in(old + "\n" + fixed).faulty.size(), 1U);
	// Without its microcode, a CPU may be any of its part.
	auto unknown = fixed;
	unknown.replace(unknown.find("microcode"), 9, "microwave");
	EXPECT_EQ(cpu_instructions_in(unknown).faulty.size(), 1U);
}

#endif

TEST(CpuInstruction, UnknownNameIsNoSource)
{
	const auto source = open_cpu_instruction("rdnonsense");
	ASSERT_FALSE(source);
	EXPECT_EQ(source.error().code, ExitCode::no_source);
}

TEST(CpuInstruction, FillsOddSizesOnThisMachine)
{
	const auto names = cpu_instructions(Root("/")).usable;
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
