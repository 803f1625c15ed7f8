// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/fips140_2.h"

#include "aes_ctr.h"
#include "fips140_2_reference.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

using namespace hwrngd::fips140_2;
using namespace hwrngd::test;

namespace {

constexpr std::array<uint8_t, 4> some_bootstrap{0x12, 0x34, 0x56, 0x78};

uint8_t test_one(const Block &block)
{
	return Tester(some_bootstrap).test(block);
}

using RunCounts = std::array<size_t, 6>; ///< runs of length 1, 2, 3, 4, 5 and 6 to 25
constexpr RunCounts nominal{2450, 1200, 600, 300, 150, 150};

/// A block with these runs of ones and of zeros, as many of the one as of the other. Runs of class
/// 6 are lengthened to fill the block.
Block block_of_runs(const RunCounts &ones, const RunCounts &zeros)
{
	std::array<std::vector<size_t>, 2> lengths;
	size_t bits = 0;
	for (size_t value = 0; value < 2; value++)
		for (size_t k = 6; k-- > 0;)
			for (size_t n = 0; n < (value == 1 ? ones : zeros)[k]; n++) {
				lengths[value].push_back(k + 1);
				bits += k + 1;
			}
	EXPECT_EQ(lengths[0].size(), lengths[1].size());
	for (auto &list : lengths)
		for (size_t &length : list)
			for (; length >= 6 && length < 25 && bits < block_bits; bits++)
				length++;
	EXPECT_EQ(bits, block_bits);
	Block block{};
	size_t at = 0;
	for (size_t i = 0; i < lengths[0].size(); i++) {
		for (size_t n = 0; n < lengths[1][i] && at < block_bits; n++)
			set_bit(block, at++);
		at += lengths[0][i];
	}
	return block;
}

/// A block with `ones` ones, spread evenly.
Block block_of_ones(size_t ones)
{
	Block block{};
	for (size_t i = 0; i < block_bits; i++)
		if ((i + 1) * ones / block_bits != i * ones / block_bits)
			set_bit(block, i);
	return block;
}

/// A block whose nibbles' squared counts sum to `target` (even, at least 1562504).
Block block_of_squares(uint32_t target)
{
	std::array<uint32_t, 16> counts{};
	for (size_t i = 0; i < 16; i++)
		counts[i] = i < 8 ? 312 : 313;
	const auto sum = [&] {
		uint32_t total = 0;
		for (const uint32_t n : counts)
			total += n * n;
		return total;
	};
	// Moving one from a smaller count a to a larger count b adds 2(b - a) + 2 to the sum. Take the
	// largest step that fits; the smallest is 2, for two equal counts.
	while (sum() < target) {
		size_t best_a = 16;
		size_t best_b = 16;
		uint32_t best = 0;
		for (size_t a = 0; a < 16; a++)
			for (size_t b = 0; b < 16; b++) {
				if (a == b || counts[a] > counts[b])
					continue;
				const uint32_t step = 2 * (counts[b] - counts[a]) + 2;
				if (step > best && step <= target - sum()) {
					best = step;
					best_a = a;
					best_b = b;
				}
			}
		if (best == 0)
			break;
		counts[best_a]--;
		counts[best_b]++;
	}
	EXPECT_EQ(sum(), target);
	std::vector<uint8_t> nibbles;
	for (uint8_t i = 0; i < 16; i++)
		nibbles.insert(nibbles.end(), counts[i], i);
	std::shuffle(nibbles.begin(), nibbles.end(), std::minstd_rand(1));
	Block block{};
	for (size_t i = 0; i < block_bytes; i++)
		block[i] = static_cast<uint8_t>(nibbles[2 * i] << 4 | nibbles[2 * i + 1]);
	return block;
}

TEST(Fips140_2, MonobitAtItsLimits)
{
	EXPECT_TRUE((test_one(block_of_ones(9725)) & monobit) != 0);
	EXPECT_FALSE((test_one(block_of_ones(9726)) & monobit) != 0);
	EXPECT_FALSE((test_one(block_of_ones(10274)) & monobit) != 0);
	EXPECT_TRUE((test_one(block_of_ones(10275)) & monobit) != 0);
}

TEST(Fips140_2, PokerAtItsLimits)
{
	EXPECT_TRUE((test_one(block_of_squares(1563174)) & poker) != 0);
	EXPECT_FALSE((test_one(block_of_squares(1563176)) & poker) != 0);
	EXPECT_FALSE((test_one(block_of_squares(1576928)) & poker) != 0);
	EXPECT_TRUE((test_one(block_of_squares(1576930)) & poker) != 0);
}

TEST(Fips140_2, RunsAtTheirLimitsForEachLengthAndValue)
{
	constexpr std::array<std::array<int, 2>, 6> limits{
	    {{2315, 2685}, {1114, 1386}, {527, 723}, {240, 384}, {103, 209}, {103, 209}}};
	ASSERT_EQ(test_one(block_of_runs(nominal, nominal)) & (runs | long_run), 0);
	for (size_t k = 0; k < 6; k++)
		for (const int side : {0, 1})
			for (const int beyond : {0, 1}) {
				const int count =
				    limits[k][static_cast<size_t>(side)] + (side == 1 ? beyond : -beyond);
				const int change = count - static_cast<int>(nominal[k]);
				RunCounts changed = nominal;
				changed[k] = static_cast<size_t>(count);
				// The other value has as many runs, with all lengths within the limits.
				RunCounts other = nominal;
				if (k == 0) {
					other[1] += static_cast<size_t>(change * 3 / 5);
					other[2] += static_cast<size_t>(change - change * 3 / 5);
				} else {
					other[0] += static_cast<size_t>(change);
				}
				const bool ones_fail = (test_one(block_of_runs(changed, other)) & runs) != 0;
				const bool zeros_fail = (test_one(block_of_runs(other, changed)) & runs) != 0;
				EXPECT_EQ(ones_fail, beyond == 1)
				    << "runs of ones, length " << k + 1 << ": " << count;
				EXPECT_EQ(zeros_fail, beyond == 1)
				    << "runs of zeros, length " << k + 1 << ": " << count;
			}
}

TEST(Fips140_2, RunsDoNotCrossBlocks)
{
	AesCtr stream;
	Block first{};
	Block second{};
	stream.fill(first);
	stream.fill(second);
	std::fill(first.end() - 2, first.end(), uint8_t{0});
	first[block_bytes - 3] |= 1;
	std::fill(second.begin(), second.begin() + 2, uint8_t{0});
	second[2] |= 0x80;
	Tester tester(some_bootstrap);
	EXPECT_EQ(tester.test(first) & long_run, 0);
	EXPECT_EQ(tester.test(second) & long_run, 0);
}

TEST(Fips140_2, ContinuousTestCrossesBlocksAndStartsWithTheBootstrap)
{
	AesCtr stream;
	Block first{};
	Block second{};
	stream.fill(first);
	stream.fill(second);
	std::copy(first.end() - 4, first.end(), second.begin());
	Tester tester(some_bootstrap);
	EXPECT_EQ(tester.test(first) & continuous, 0);
	EXPECT_NE(tester.test(second) & continuous, 0);
	std::array<uint8_t, 4> same{};
	std::copy(first.begin(), first.begin() + 4, same.begin());
	EXPECT_NE(Tester(same).test(first) & continuous, 0);
}

TEST(Fips140_2, VerdictFollowsTheStatistics)
{
	EXPECT_FALSE(Statistics{}.healthy());
	// For a perfect source P(more than k failures) of Poisson(8.3e-4 n) must be below 1e-3.
	EXPECT_EQ(failures_allowed(1), 0);
	EXPECT_EQ(failures_allowed(2), 1);
	EXPECT_EQ(failures_allowed(27), 1);
	EXPECT_EQ(failures_allowed(100), 2);
	EXPECT_EQ(failures_allowed(1000), 5);
	EXPECT_EQ(failures_allowed(20000), 31);
	Statistics statistics;
	for (int i = 0; i < 994; i++)
		statistics.add(0);
	for (int i = 0; i < 5; i++)
		statistics.add(runs);
	EXPECT_TRUE(statistics.healthy());
	statistics.add(monobit | poker);
	EXPECT_FALSE(statistics.healthy());
}

TEST(Fips140_2, OneRepeatedWordIsUnhealthyHoweverManyBlocksAreGood)
{
	Statistics statistics;
	statistics.add(continuous);
	for (int i = 0; i < 100000; i++)
		statistics.add(0);
	EXPECT_FALSE(statistics.healthy());
}

} // namespace
