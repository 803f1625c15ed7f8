// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/modules.h"

#include <gtest/gtest.h>

using namespace hwrngd;

namespace {

Tpm tpm(const std::string &name, std::optional<std::string> hwrng = std::nullopt)
{
	return {.name = name, .version = "2.0", .description = "", .hwrng = std::move(hwrng)};
}

TEST(Modules, TpmRngIsForTpmsThatTheKernelDoesNotServe)
{
	Inventory inventory;
	EXPECT_EQ(why_not_tpm_rng(inventory), "this machine has no TPM");
	inventory.tpms = {tpm("tpm0")};
	EXPECT_EQ(why_not_tpm_rng(inventory), "");
	inventory.tpms = {tpm("tpm0", "tpm_rng.0")};
	EXPECT_EQ(why_not_tpm_rng(inventory), "");
	inventory.tpms = {tpm("tpm0", "tpm-rng-0")};
	EXPECT_EQ(why_not_tpm_rng(inventory), "the kernel already serves tpm0 as tpm-rng-0");
	inventory.tpms.push_back(tpm("tpm1", "tpm-rng-1"));
	EXPECT_EQ(why_not_tpm_rng(inventory),
	          "the kernel already serves tpm0 as tpm-rng-0, tpm1 as tpm-rng-1");
	inventory.tpms.push_back(tpm("tpm2"));
	EXPECT_EQ(why_not_tpm_rng(inventory), "");
}

TEST(Modules, CpuRngNeedsAUsableInstruction)
{
	Inventory inventory;
	EXPECT_EQ(why_not_cpu_rng(inventory, {}), "this CPU has no random number instruction");
	inventory.faulty_instructions = {{"rdseed", "an erratum"}};
	EXPECT_EQ(why_not_cpu_rng(inventory, {}), "rdseed of this CPU is not reliable: an erratum");
	inventory.cpu_instructions = {"rdrand"};
	EXPECT_EQ(why_not_cpu_rng(inventory, {}), "");
}

TEST(Modules, CpuRngNeedsTrustOrConfiguredCredit)
{
	Inventory inventory;
	inventory.cpu_instructions = {"rdseed", "rdrand"};
	inventory.cpu_distrust = "no trust";
	const auto why = [&](const char *pattern, unsigned credit) {
		Config config;
		config.sources[pattern].credit = credit;
		return why_not_cpu_rng(inventory, config);
	};
	EXPECT_EQ(why_not_cpu_rng(inventory, {}),
	          "no trust, and no `credit` is configured for the CPU");
	for (const char *pattern : {"cpu_rng.*", "cpu_rng.rdrand", "rdseed", "rd*", "*"}) {
		EXPECT_EQ(why(pattern, 1), "") << pattern;
		EXPECT_NE(why(pattern, 0), "") << pattern;
	}
	for (const char *pattern : {"tpm*", "cpu_rng", "rndr", "cpu_rng.darn"})
		EXPECT_NE(why(pattern, 512), "") << pattern;
	Config config;
	config.sources["rdseed"].assessed = 512;
	EXPECT_NE(why_not_cpu_rng(inventory, config), "") << "a limit is not a decision";
}

TEST(Modules, OnlyConfiguredModulesAreDecided)
{
	Inventory inventory;
	inventory.tpms = {tpm("tpm0")};
	inventory.cpu_instructions = {"rdseed"};
	auto decisions = decide_modules(inventory, {});
	ASSERT_EQ(decisions.size(), 1U) << "the CPU is the administrator's decision";
	EXPECT_EQ(decisions[0].module, "tpm_rng");
	EXPECT_EQ(decisions[0].why_not, "");
	Config config;
	config.modules = {"cpu_rng", "tpm_rng"};
	decisions = decide_modules(inventory, config);
	ASSERT_EQ(decisions.size(), 2U);
	EXPECT_EQ(decisions[0].module, "cpu_rng");
	EXPECT_EQ(decisions[0].why_not, "");
	inventory.cpu_distrust = "no trust";
	EXPECT_NE(decide_modules(inventory, config)[0].why_not, "");
	config.modules.clear();
	EXPECT_TRUE(decide_modules(inventory, config).empty());
}

} // namespace
