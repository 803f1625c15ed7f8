// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/credit.h"

#include <gtest/gtest.h>

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

using hwrngd::creditable_bits;

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
