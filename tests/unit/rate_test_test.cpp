// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/rate_test.h"

#include <gtest/gtest.h>

using hwrngd::RateTest;
using namespace std::chrono_literals;

namespace {

TEST(RateTest, ASourceThatIsSlowFromTheBeginningIsAsItIs)
{
	RateTest rate;
	for (int i = 0; i < 100; i++)
		EXPECT_TRUE(rate.test(8, 1s));
	EXPECT_EQ(rate.now(), 8);
}

TEST(RateTest, BothSidesOfTheFactor)
{
	RateTest rate;
	EXPECT_TRUE(rate.test(2000, 2s));
	EXPECT_TRUE(rate.test(20, 2s)) << "a hundredth";
	RateTest other;
	EXPECT_TRUE(other.test(2000, 2s));
	EXPECT_FALSE(other.test(19, 2s));
	EXPECT_EQ(other.now(), 9.5);
	EXPECT_EQ(other.before(), 1000);
}

TEST(RateTest, IsToldForAsLongAsItLasts)
{
	RateTest rate;
	EXPECT_TRUE(rate.test(2'000'000, 2s));
	EXPECT_FALSE(rate.test(2, 2s));
	EXPECT_FALSE(rate.test(2, 2s));
}

TEST(RateTest, AHiccupIsNone)
{
	RateTest rate;
	for (int i = 0; i < 1000; i++)
		EXPECT_TRUE(rate.test(512, 10us));
	for (int i = 0; i < 8; i++) {
		EXPECT_TRUE(rate.test(64, 250ms)) << "a harvest that was interrupted";
		EXPECT_TRUE(rate.test(512, 10us));
	}
}

TEST(RateTest, AWindowIsJudgedAsAWhole)
{
	RateTest rate;
	EXPECT_TRUE(rate.test(20'000, 2s));
	for (int i = 0; i < 7; i++)
		EXPECT_TRUE(rate.test(1, 250ms));
	EXPECT_FALSE(rate.test(1, 250ms));
}

} // namespace
