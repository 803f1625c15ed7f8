// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/policy.h"

#include <gtest/gtest.h>

using namespace hwrngd;

namespace {

Inventory machine()
{
	Inventory inventory;
	inventory.hwrng = HwrngState{};
	inventory.hwrng->available = {"a", "virtio_rng.0", "tpm_rng.0"};
	inventory.hwrng->current = "virtio_rng.0";
	inventory.hwrng->has_quality_file = true;
	inventory.sources = {{"rdrand", SourceKind::cpu, "", 4, false},
	                     {"rdseed", SourceKind::cpu, "", 512, false},
	                     {"tpmrm0", SourceKind::tpm2, "", 512, false},
	                     {"a", SourceKind::hwrng, "", 100, false},
	                     {"tpm_rng.0", SourceKind::hwrng, "", 512, false},
	                     {"virtio_rng.0", SourceKind::hwrng, "", 10, true}};
	return inventory;
}

std::vector<std::string> names(const Result<std::vector<Candidate>> &candidates)
{
	std::vector<std::string> list;
	if (candidates)
		for (const auto &candidate : *candidates) {
			EXPECT_FALSE(candidate.reason.empty());
			list.push_back(candidate.source.name);
		}
	return list;
}

TEST(Policy, TakesTheCurrentHwrngThenOthersByClaimThenTpmThenCpu)
{
	EXPECT_EQ(
	    names(rank(machine(), std::nullopt)),
	    (std::vector<std::string>{"virtio_rng.0", "tpm_rng.0", "a", "tpmrm0", "rdseed", "rdrand"}));
}

TEST(Policy, TakesANamedSourceAlone)
{
	EXPECT_EQ(names(rank(machine(), "rdseed")), (std::vector<std::string>{"rdseed"}));
}

TEST(Policy, NamesWhatThereIsWhenANamedSourceIsUnknown)
{
	const auto candidates = rank(machine(), "tpm");
	ASSERT_FALSE(candidates);
	EXPECT_EQ(candidates.error().code, ExitCode::no_source);
	EXPECT_NE(candidates.error().message.find("\"tpm\""), std::string::npos);
	EXPECT_NE(candidates.error().message.find("tpmrm0"), std::string::npos);
}

TEST(Policy, ZeroSourcesIsAnErrorThatTellsTheWayOut)
{
	const auto candidates = rank(Inventory{}, std::nullopt);
	ASSERT_FALSE(candidates);
	EXPECT_EQ(candidates.error().code, ExitCode::no_source);
	EXPECT_NE(candidates.error().message.find("virtio-rng"), std::string::npos);
}

TEST(Policy, VisitsNobodyWhereSwitchingCanDeadlock)
{
	auto inventory = machine();
	inventory.hwrng->has_quality_file = false;
	EXPECT_EQ(names(rank(inventory, std::nullopt)),
	          (std::vector<std::string>{"virtio_rng.0", "tpmrm0", "rdseed", "rdrand"}));
}

TEST(Policy, RespectsAChoiceOfNone)
{
	auto inventory = machine();
	inventory.hwrng->current = "";
	inventory.hwrng->selected = true;
	inventory.sources.back().current = false;
	EXPECT_EQ(names(rank(inventory, std::nullopt)),
	          (std::vector<std::string>{"tpmrm0", "rdseed", "rdrand"}));
	EXPECT_EQ(names(rank(inventory, "tpm_rng.0")), (std::vector<std::string>{"tpm_rng.0"}));
}

TEST(Policy, SwitchingIsDangerousOnlyToADriverWithoutQualityOnAnOldKernel)
{
	HwrngState state;
	state.current = "virtio_rng.0";
	EXPECT_TRUE(switching_danger(state, "tpm-rng-0"));
	EXPECT_FALSE(switching_danger(state, "tpm_rng.0"));
	EXPECT_FALSE(switching_danger(state, "cpu_rng.rdseed"));
	EXPECT_FALSE(switching_danger(state, "virtio_rng.0"));
	EXPECT_FALSE(switching_danger(state, "virtio_rng.1"));
	state.has_quality_file = true;
	EXPECT_FALSE(switching_danger(state, "tpm-rng-0"));
	state.has_quality_file = false;
	state.current = "";
	EXPECT_FALSE(switching_danger(state, "tpm-rng-0"));
}

} // namespace
