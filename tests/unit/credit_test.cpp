// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/credit.h"

#include <gtest/gtest.h>

using hwrngd::creditable_bits;
using hwrngd::credited_bits;

namespace {

TEST(Credit, IsHalfOfTheClaim)
{
	EXPECT_EQ(credited_bits(2500, 1024), 10000);
	EXPECT_EQ(credited_bits(2500, 1000), 9765); // 9765.6 rounded down
	EXPECT_EQ(credited_bits(2500, 512), 5000);
	EXPECT_EQ(credited_bits(2500, 4), 39);
}

TEST(Credit, IsZeroWithoutClaimOrBytes)
{
	EXPECT_EQ(credited_bits(2500, 0), 0);
	EXPECT_EQ(credited_bits(0, 1024), 0);
	EXPECT_EQ(credited_bits(1, 4), 0);
}

TEST(Credit, IsBoundedByWhatWasAssessed)
{
	EXPECT_EQ(credited_bits(2500, 1000, 512), 9765); // half of the claim is the lower limit
	EXPECT_EQ(credited_bits(2500, 1000, 500), 9765); // both limits are equal
	EXPECT_EQ(credited_bits(2500, 1000, 499), 9746); // 20000 * 499 / 1024 is 9746.09
	EXPECT_EQ(credited_bits(2500, 1000, 0), 0);
	EXPECT_EQ(credited_bits(2500, 4, 1024), 39);
}

TEST(Credit, NeverExceedsHalfOfTheBits)
{
	EXPECT_EQ(credited_bits(2500, 4096), 10000);
	EXPECT_EQ(credited_bits(uint64_t{1} << 20, 1024), uint64_t{1} << 22);
}

TEST(Credit, IsWhatTheAdministratorDecidedButNotMoreThanWasAssessed)
{
	EXPECT_EQ(credited_bits(2500, 512, 1024, 1024), 20000);
	EXPECT_EQ(credited_bits(2500, 512, 1024, 512), 10000);
	EXPECT_EQ(credited_bits(2500, 512, 256, 512), 5000);
	EXPECT_EQ(credited_bits(2500, 512, 1024, 0), 0);
	EXPECT_EQ(credited_bits(2500, 512, 1024, 4096), 20000);
}

using namespace hwrngd;

SourceInfo untrusted()
{
	return {
	    .name = "rdseed", .kind = SourceKind::cpu, .driver = "", .claim = 512, .distrust = "why"};
}

TEST(Credit, OfASourceFollowsItsSettings)
{
	SourceInfo source{.name = "tpmrm0", .kind = SourceKind::tpm2, .driver = "", .claim = 512};
	EXPECT_EQ(credited_bits(2500, source, {}), 5000);
	EXPECT_EQ(credited_bits(2500, source, {.assessed = 128}), 2500);
	EXPECT_EQ(credited_bits(2500, source, {.credit = 1024}), 20000);
	EXPECT_TRUE(earns_credit(source, {}));
	EXPECT_FALSE(earns_credit(source, {.credit = 0}));
	EXPECT_FALSE(earns_credit(source, {.assessed = 0}));
	source.claim = 1;
	EXPECT_TRUE(earns_credit(source, {}));
	source.claim = 0;
	EXPECT_FALSE(earns_credit(source, {}));
}

TEST(Credit, IsZeroForAnUntrustedSourceUnlessTheAdministratorDecided)
{
	EXPECT_EQ(credited_bits(2500, untrusted(), {}), 0);
	EXPECT_EQ(credited_bits(2500, untrusted(), {.assessed = 512}), 0);
	EXPECT_EQ(why_uncredited(untrusted(), {.assessed = 512}), "why");
	EXPECT_FALSE(earns_credit(untrusted(), {.assessed = 512}));
	EXPECT_EQ(credited_bits(2500, untrusted(), {.credit = 1024}), 20000);
	EXPECT_EQ(credited_bits(2500, untrusted(), {.credit = 1024, .assessed = 512}), 10000);
	EXPECT_EQ(why_uncredited(untrusted(), {.credit = 1024}), "");
	EXPECT_EQ(why_uncredited(untrusted(), {.credit = 0}), "")
	    << "it is the administrator's decision";
	EXPECT_TRUE(earns_credit(untrusted(), {.credit = 1}));
}

TEST(Credit, DistrustOfTheCpuIsThatOfItsInstructionsAndItsModule)
{
	Inventory inventory;
	const auto why = [&](const char *name, SourceKind kind) {
		return distrust_of({.name = name, .kind = kind, .driver = ""}, inventory);
	};
	EXPECT_EQ(why("rdseed", SourceKind::cpu), "");
	inventory.cpu_distrust = "no trust";
	EXPECT_EQ(why("rdseed", SourceKind::cpu), "no trust");
	EXPECT_EQ(why("cpu_rng.rdseed", SourceKind::hwrng), "no trust");
	for (const char *name : {"tpm_rng.0", "virtio_rng.0", "rdseed", "cpu_rng", "xcpu_rng.rdseed"})
		EXPECT_EQ(why(name, SourceKind::hwrng), "") << name;
	for (const auto kind : {SourceKind::tpm2, SourceKind::generator, SourceKind::command,
	                        SourceKind::egd, SourceKind::ssh, SourceKind::jitter})
		EXPECT_EQ(why("cpu_rng.rdseed", kind), "") << name(kind);
	// With an erratum, the module serves an instruction only if it is forced to.
	inventory.cpu_distrust = "";
	inventory.faulty_instructions = {{"rdseed", "an erratum"}};
	EXPECT_EQ(why("rdseed", SourceKind::cpu), "an erratum");
	EXPECT_EQ(why("cpu_rng.rdseed", SourceKind::hwrng), "an erratum");
	EXPECT_EQ(why("cpu_rng.rdrand", SourceKind::hwrng), "");
}

TEST(CreditableBits, FillHalfOfThePool)
{
	EXPECT_EQ(creditable_bits({.available = 0, .threshold = 896, .size = 4096}, std::nullopt),
	          2048U);
	EXPECT_EQ(creditable_bits({.available = 895, .threshold = 896, .size = 4096}, std::nullopt),
	          2048U - 895);
}

TEST(CreditableBits, AreNoneBeforeThePoolWantsMore)
{
	EXPECT_EQ(creditable_bits({.available = 896, .threshold = 896, .size = 4096}, std::nullopt),
	          0U);
	EXPECT_EQ(creditable_bits({.available = 4096, .threshold = 896, .size = 4096}, std::nullopt),
	          0U);
	EXPECT_EQ(creditable_bits({.available = 0, .threshold = 0, .size = 4096}, std::nullopt), 0U);
}

TEST(CreditableBits, FollowTheWatermark)
{
	EXPECT_EQ(creditable_bits({.available = 100, .threshold = 896, .size = 4096}, 4096), 3996U);
	EXPECT_EQ(creditable_bits({.available = 100, .threshold = 896, .size = 4096}, 500), 400U);
	EXPECT_EQ(creditable_bits({.available = 500, .threshold = 896, .size = 4096}, 500), 0U);
	EXPECT_EQ(creditable_bits({.available = 0, .threshold = 896, .size = 1024}, 4096), 1024U);
	EXPECT_EQ(creditable_bits({.available = 0, .threshold = 896, .size = 4096}, 0), 0U);
}

} // namespace
