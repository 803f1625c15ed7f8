// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/fips140_2_count.h"

#include "aes_ctr.h"
#include "fips140_2_reference.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include <gtest/gtest.h>

using namespace hwrngd::fips140_2;
using namespace hwrngd::test;

namespace {

using Random = std::mt19937_64;

/// All variants must have the same counts for `block` as the reference, and the same verdict.
void expect_all_agree(const Block &block, const std::string &what)
{
	static const auto variants = count_variants();
	const Reference reference(block);
	const Counts expected = reference.counts();
	for (const auto &variant : variants) {
		Counts counts{};
		variant.count(block.data(), counts);
		ASSERT_EQ(counts.odd, expected.odd) << what << ", " << variant.name;
		ASSERT_EQ(counts.runs, expected.runs) << what << ", " << variant.name;
		ASSERT_EQ(counts.long_run, expected.long_run) << what << ", " << variant.name;
		ASSERT_EQ(counts.equal_words, expected.equal_words) << what << ", " << variant.name;
		ASSERT_EQ(judge(counts), reference.failed()) << what << ", " << variant.name;
	}
}

/// Each bit is one with this probability.
Block biased_block(Random &random, double probability)
{
	Block block{};
	std::bernoulli_distribution one(probability);
	for (size_t i = 0; i < block_bits; i++)
		set_bit(block, i, one(random));
	return block;
}

Block random_block(Random &random)
{
	Block block{};
	std::generate(block.begin(), block.end(), [&] { return static_cast<uint8_t>(random()); });
	return block;
}

/// A block with `length` bits of `value` from bit `at` on; before and after them, ones and zeros
/// alternate.
Block block_with_run(size_t length, bool value, size_t at)
{
	const auto alternating = [](bool first) { return static_cast<uint8_t>(first ? 0xaa : 0x55); };
	const size_t end = at + length;
	Block block{};
	// The bits next to the run are not `value`.
	std::fill(block.begin(), block.begin() + static_cast<ptrdiff_t>(at / 8 + 1),
	          alternating(value == (at % 2 == 0)));
	std::fill(block.begin() + static_cast<ptrdiff_t>(at / 8 + 1), block.end(),
	          alternating(value != (end % 2 == 0)));
	for (size_t i = at; i < std::min(end / 8 * 8 + 8, block_bits); i++)
		set_bit(block, i, i < end ? value : value != ((i - end) % 2 == 0));
	return block;
}

class EachVariant : public testing::TestWithParam<CountVariant> {
protected:
	[[nodiscard]] static Counts count(const Block &block)
	{
		Counts counts{};
		GetParam().count(block.data(), counts);
		return counts;
	}
};

TEST_P(EachVariant, KnownAnswerOfTheAesCtrStream)
{
	AesCtr stream;
	std::array<uint8_t, 4> bootstrap{};
	stream.fill(bootstrap);
	Statistics statistics;
	Block block{};
	for (int i = 0; i < 20000; i++) {
		stream.fill(block);
		statistics.add(judge(count(block)));
	}
	EXPECT_EQ(statistics.blocks, 20000);
	EXPECT_EQ(statistics.failures, 26);
	EXPECT_EQ(statistics.of(monobit), 2);
	EXPECT_EQ(statistics.of(poker), 2);
	EXPECT_EQ(statistics.of(runs), 13);
	EXPECT_EQ(statistics.of(long_run), 10);
	EXPECT_EQ(statistics.of(continuous), 0);
	EXPECT_TRUE(statistics.healthy());
}

TEST_P(EachVariant, LongRunOf25And26AtEveryOffset)
{
	for (const size_t length : {size_t{25}, size_t{26}})
		for (const bool value : {false, true})
			for (size_t at = 0; at + length <= block_bits; at++)
				ASSERT_EQ(count(block_with_run(length, value, at)).long_run, length == 26)
				    << length << " bits of " << value << " at " << at;
}

TEST_P(EachVariant, EqualWordsAtEveryPlace)
{
	Block block{};
	for (size_t i = 0; i < block_bytes; i++)
		block[i] = static_cast<uint8_t>(i % 251);
	ASSERT_FALSE(count(block).equal_words);
	for (size_t at = 1; at + 7 < block_bytes; at++) {
		Block changed = block;
		std::copy_n(changed.begin() + static_cast<ptrdiff_t>(at), 4,
		            changed.begin() + static_cast<ptrdiff_t>(at) + 4);
		ASSERT_EQ(count(changed).equal_words, at % 4 == 0) << "at " << at;
	}
}

INSTANTIATE_TEST_SUITE_P(Fips140_2, EachVariant, testing::ValuesIn(count_variants()),
                         [](const auto &variant) { return std::string(variant.param.name); });

TEST(Fips140_2Count, TheBestVariantComesFirst)
{
	Random random(2); // NOLINT: the same data in every run
	const Block block = random_block(random);
	const auto variants = count_variants();
	ASSERT_FALSE(variants.empty());
	Counts counts{};
	variants.front().count(block.data(), counts);
	EXPECT_EQ(judge(counts), judge(hwrngd::fips140_2::count(block)));
}

TEST(Fips140_2Count, TheRunsAreWhereTheTestSays)
{
	for (const size_t length : {size_t{25}, size_t{26}})
		for (const size_t at : {0U, 1U, 7U, 8U, 2559U, 2560U, 19974U})
			EXPECT_EQ(Reference(block_with_run(length, at % 2 == 0, at)).longest_run, length) << at;
}

TEST(Fips140_2Count, OneValue)
{
	Block block{};
	expect_all_agree(block, "zeros");
	block.fill(0xff);
	expect_all_agree(block, "ones");
}

TEST(Fips140_2Count, OneBitThatDiffers)
{
	for (size_t i = 0; i < block_bits; i += i < 80 || i + 80 > block_bits ? 1 : 79) {
		Block block{};
		set_bit(block, i);
		expect_all_agree(block, "one at " + std::to_string(i));
		block.fill(0xff);
		set_bit(block, i, false);
		expect_all_agree(block, "zero at " + std::to_string(i));
	}
}

TEST(Fips140_2Count, Biased)
{
	Random random(3); // NOLINT: the same data in every run
	for (const double percent : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 25.0, 40.0, 49.0})
		for (const int sign : {-1, 1})
			for (int i = 0; i < 10; i++)
				expect_all_agree(biased_block(random, 0.5 + sign * percent / 100),
				                 "bias of " + std::to_string(sign * percent) + " %");
}

TEST(Fips140_2Count, Periodic)
{
	Random random(4); // NOLINT: the same data in every run
	for (size_t period = 1; period <= 64; period++) {
		const uint64_t pattern = random();
		Block block{};
		for (size_t i = 0; i < block_bits; i++)
			set_bit(block, i, (pattern >> i % period & 1) != 0);
		expect_all_agree(block, "period " + std::to_string(period));
	}
}

TEST(Fips140_2Count, RunsOfAllLengths)
{
	Random random(5); // NOLINT: the same data in every run
	for (size_t longest = 1; longest <= 60; longest++) {
		std::uniform_int_distribution<size_t> lengths(1, longest);
		Block block{};
		bool value = longest % 2 == 0;
		for (size_t i = 0; i < block_bits; value = !value)
			for (size_t n = lengths(random); n > 0 && i < block_bits; n--, i++)
				set_bit(block, i, value);
		expect_all_agree(block, "runs of up to " + std::to_string(longest));
	}
}

TEST(Fips140_2Count, EveryEndAndBeginning)
{
	Random random(6); // NOLINT: the same data in every run
	for (size_t length = 1; length <= 40; length++)
		for (unsigned values = 0; values < 4; values++) {
			Block block = random_block(random);
			for (size_t i = 0; i <= length; i++) {
				set_bit(block, i, ((values & 1) != 0) == (i < length));
				set_bit(block, block_bits - 1 - i, ((values & 2) != 0) == (i < length));
			}
			expect_all_agree(block, std::to_string(length) + " bits at both ends");
		}
}

TEST(Fips140_2Count, RandomBlocks)
{
	Random random(7); // NOLINT: the same data in every run
	for (int i = 0; i < 500; i++)
		expect_all_agree(random_block(random), "block " + std::to_string(i));
}

TEST(Fips140_2Count, Text)
{
	Random random(8); // NOLINT: the same data in every run
	constexpr std::array<const char *, 8> words{"entropy ", "of ",  "a ", "source\n",
	                                            "is ",      "not ", "it", "s output, "};
	for (int i = 0; i < 20; i++) {
		std::string text;
		while (text.size() < block_bytes)
			text += words[random() % words.size()];
		Block block{};
		std::copy_n(text.begin(), block_bytes, block.begin());
		expect_all_agree(block, "text " + std::to_string(i));
	}
}

TEST(Fips140_2Count, AProgram)
{
	std::ifstream program("/proc/self/exe", std::ios::binary);
	Block block{};
	int blocks = 0;
	while (blocks < 100 && program.read(reinterpret_cast<char *>(block.data()), block_bytes))
		expect_all_agree(block, "block " + std::to_string(blocks++));
	EXPECT_EQ(blocks, 100);
}

} // namespace
