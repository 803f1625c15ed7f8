// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/live_tests.h"

#include "samples.h"

#include <algorithm>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

constexpr size_t block = fips140_2::block_bytes;

std::span<const uint8_t> part(const std::vector<uint8_t> &bytes, size_t at, size_t size)
{
	return std::span(bytes).subspan(at, size);
}

/// Makes the block at `at` have 10,300 ones of 20,000. It fails monobit, but no test that ends the
/// stream.
void spoil(std::vector<uint8_t> &bytes, size_t at)
{
	for (size_t i = 0; i < block; i += 16)
		bytes[at + i] = 0xfb;
}

TEST(CycleTest, ABytewisePeriodIsFoundWithinFourPeriods)
{
	const auto random = stream(100'000);
	for (const size_t period : {9U, 64U, 100U, 2500U, 4095U, 4096U, 4097U, 20'000U}) {
		CycleTest test;
		size_t at = 0;
		while (at < 10 * period && test.test(random[at % period]))
			at++;
		EXPECT_GE(at, period) << period;
		EXPECT_LT(at, 4 * period) << period;
	}
}

TEST(CycleTest, APeriodThatBeginsLateIsFoundWithinFourPeriods)
{
	const auto random = stream(300'000);
	for (const size_t before : {1000U, 33'000U, 262'144U, 263'000U})
		for (const size_t period : {9U, 512U, 2500U, 4097U}) {
			CycleTest test;
			for (size_t i = 0; i < before; i++)
				ASSERT_TRUE(test.test(random[i]));
			size_t at = 0;
			while (at < 10 * period && test.test(random[before + (at % period)]))
				at++;
			EXPECT_GE(at, period) << before << " " << period;
			EXPECT_LT(at, std::max<size_t>(4 * period, 64)) << before << " " << period;
		}
}

TEST(CycleTest, RandomBytesPass)
{
	CycleTest test;
	const auto random = stream(1'000'000);
	EXPECT_TRUE(std::all_of(random.begin(), random.end(), [&](auto b) { return test.test(b); }));
}

TEST(CycleTest, NothingIsRememberedBeforeSixteenBytes)
{
	// Memory that was not filled yet would hold zeros too.
	CycleTest test;
	for (int i = 0; i < 16; i++)
		EXPECT_TRUE(test.test(0));
	EXPECT_FALSE(test.test(0));
}

TEST(LiveTests, TheStartUpTestTakesTheFirst1024Bytes)
{
	const auto random = stream(4096);
	LiveTests tests;
	EXPECT_EQ(tests.test(part(random, 0, 1023)), Verdict::starting);
	EXPECT_EQ(tests.test(part(random, 1023, 1)), Verdict::starting);
	EXPECT_EQ(tests.test(part(random, 1024, 1)), Verdict::good);
	tests.restart();
	EXPECT_EQ(tests.test(part(random, 0, 2000)), Verdict::starting);
	EXPECT_EQ(tests.test(part(random, 2000, 512)), Verdict::good);
}

TEST(LiveTests, WholeBlocksAreCountedWhateverThePieces)
{
	const auto random = stream(100'000);
	for (const size_t piece : {1U, 100U, 2499U, 2500U, 2501U, 100'000U}) {
		LiveTests tests;
		for (size_t at = 0; at < random.size(); at += piece)
			EXPECT_LE(tests.test(part(random, at, std::min(piece, random.size() - at))),
			          Verdict::good);
		EXPECT_EQ(tests.fips().blocks, (random.size() - 4) / block) << piece;
		EXPECT_EQ(tests.fips().failures, 0U);
	}
}

TEST(LiveTests, AStuckSourceFailsAtOnceAndForGood)
{
	const auto random = stream(4096);
	for (const uint8_t stuck : std::initializer_list<uint8_t>{0x00, 0xff, 0x55}) {
		LiveTests tests;
		EXPECT_EQ(tests.test(random), Verdict::starting);
		EXPECT_EQ(tests.test(std::vector<uint8_t>(9, stuck)), Verdict::failed);
		EXPECT_EQ(tests.reason(), "SP 800-90B: repetition count");
		EXPECT_EQ(tests.test(random), Verdict::failed);
		tests.restart();
		EXPECT_EQ(tests.reason(), "");
		EXPECT_EQ(tests.test(random), Verdict::starting);
	}
}

TEST(LiveTests, OneValueTooOftenFails)
{
	auto bytes = stream(8192);
	for (size_t i = 4096; i < bytes.size(); i += 4)
		bytes[i] = 7;
	LiveTests tests;
	EXPECT_EQ(tests.test(bytes), Verdict::failed);
	EXPECT_EQ(tests.reason(), "SP 800-90B: adaptive proportion");
}

TEST(LiveTests, ARepeatedBlockFails)
{
	const auto random = stream(block);
	LiveTests tests;
	auto verdict = Verdict::starting;
	for (int i = 0; i < 4; i++)
		verdict = tests.test(random);
	EXPECT_EQ(verdict, Verdict::failed);
	EXPECT_EQ(tests.reason(), "it repeats earlier output");
}

TEST(LiveTests, AFailedBlockIsDoubtfulAndTooManyFail)
{
	auto bytes = stream(4 + (40 * block));
	spoil(bytes, 4 + (10 * block));
	spoil(bytes, 4 + (20 * block));
	spoil(bytes, 4 + (21 * block));
	spoil(bytes, 4 + (22 * block));
	LiveTests tests;
	EXPECT_EQ(tests.test(part(bytes, 0, 4 + (10 * block))), Verdict::starting);
	EXPECT_EQ(tests.test(part(bytes, 4 + (10 * block), block - 1)), Verdict::good);
	// The last byte of a block completes its test, and the bytes passed with it are not used.
	EXPECT_EQ(tests.test(part(bytes, 4 + (11 * block) - 1, 1)), Verdict::doubtful);
	EXPECT_TRUE(
	    tests.reason().starts_with("FIPS 140-2: 1 of the last 11 blocks failed; the newest failed "
	                               "Monobit"))
	    << tests.reason();
	EXPECT_EQ(tests.test(part(bytes, 4 + (11 * block), 9 * block)), Verdict::good);
	EXPECT_EQ(tests.test(part(bytes, 4 + (20 * block), block)), Verdict::doubtful);
	// A perfect source fails three of 22 blocks with a probability of 1.003e-6, and four of 23 with
	// 5e-9.
	EXPECT_EQ(tests.test(part(bytes, 4 + (21 * block), block)), Verdict::doubtful);
	EXPECT_EQ(tests.test(part(bytes, 4 + (22 * block), block)), Verdict::failed);
	EXPECT_EQ(tests.fips().blocks, 23U);
	EXPECT_EQ(tests.fips().failures, 4U);
	tests.restart();
	EXPECT_EQ(tests.fips().failures, 4U);
	EXPECT_EQ(tests.test(part(bytes, 0, 4 + (10 * block))), Verdict::starting);
}

TEST(LiveTests, OldMeritsExcuseNothing)
{
	// A perfect source may fail far more of four thousand blocks than of the last 512.
	LiveTests tests;
	auto bytes = stream(4020 * block);
	EXPECT_NE(tests.test(part(bytes, 0, 4000 * block)), Verdict::failed);
	std::vector<uint8_t> bad(bytes.begin() + (4000 * block), bytes.end());
	unsigned failed = 0;
	auto verdict = Verdict::good;
	for (size_t at = 0; verdict != Verdict::failed && at < bad.size(); at += block, failed++) {
		spoil(bad, at);
		verdict = tests.test(part(bad, at, block));
	}
	EXPECT_LE(failed, 7U);
}

TEST(LiveTests, TheSameWordTwiceFailsAtOnce)
{
	auto bytes = stream(4 + (2 * block));
	std::copy_n(bytes.begin() + 4000, 4, bytes.begin() + 4004);
	LiveTests tests;
	EXPECT_EQ(tests.test(bytes), Verdict::failed);
	EXPECT_NE(tests.reason().find("Continuous run"), std::string::npos) << tests.reason();
}

} // namespace
