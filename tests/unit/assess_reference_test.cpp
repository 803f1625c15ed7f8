// SPDX-License-Identifier: GPL-2.0-or-later
// Compares the fast estimators with plain ones, on small and difficult inputs.
#include "aes_ctr.h"
#include "assess/estimators.h"
#include "assess/prediction.h"
#include "assess/repeats.h"
#include "assess_reference.h"

#include <cmath>
#include <functional>
#include <set>
#include <string>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::assess;
using namespace hwrngd::test;

namespace {

struct Input {
	std::string name;
	reference::Symbols symbols;
	unsigned alphabet;
};

reference::Symbols make(size_t size, const std::function<unsigned(size_t, uint32_t)> &symbol)
{
	AesCtr stream;
	std::vector<uint8_t> random(size * 4);
	stream.fill(random);
	reference::Symbols symbols(size);
	for (size_t i = 0; i < size; i++) {
		const auto number =
		    static_cast<uint32_t>(random[4 * i] | random[4 * i + 1] << 8 | random[4 * i + 2] << 16);
		symbols[i] = static_cast<uint8_t>(symbol(i, number));
	}
	return symbols;
}

/// Inputs of `size` symbols of the given alphabet.
std::vector<Input> inputs(size_t size, unsigned alphabet)
{
	const auto a = alphabet;
	std::vector<Input> all{
	    {"random", make(size, [=](size_t, uint32_t random) { return random % a; }), a},
	    {"biased",
	     make(size,
	          [=](size_t, uint32_t random) { return random % 1000 < 900 ? 0 : random / 1000 % a; }),
	     a},
	    {"constant_but_first", make(size, [](size_t i, uint32_t) { return i == 0 ? 1 : 0; }), a},
	    {"constant_but_last", make(size, [=](size_t i, uint32_t) { return i + 1 == size ? 1 : 0; }),
	     a},
	    {"step", make(size, [=](size_t i, uint32_t) { return i < size / 2 ? 0 : a - 1; }), a},
	    {"period_64", make(size, [=](size_t i, uint32_t) { return i * i / 64 % 64 % a; }), a},
	    {"late_change",
	     make(size,
	          [=](size_t i, uint32_t random) { return i < size * 3 / 4 ? i % 2 : random % a; }),
	     a},
	};
	for (const size_t period : {2U, 3U, 17U, 127U, 128U, 129U})
		all.push_back(
		    {"period_" + std::to_string(period),
		     make(size, [=](size_t i,
		                    uint32_t) { return static_cast<unsigned>(i % period * 7 / 3 % a); }),
		     a});
	auto halves = make(size / 2, [=](size_t, uint32_t random) { return random % a; });
	halves.insert(halves.end(), halves.begin(), halves.end());
	all.push_back({"two_equal_halves", std::move(halves), a});
	for (auto &input : all)
		input.name += "_of_" + std::to_string(a);
	return all;
}

std::vector<Input> inputs_of_all_alphabets(size_t size)
{
	std::vector<Input> all;
	for (const unsigned alphabet : {2U, 3U, 5U, 256U})
		for (auto &input : inputs(size, alphabet))
			all.push_back(std::move(input));
	return all;
}

uint64_t count(const Estimate &estimate, std::string_view name)
{
	for (const auto &figure : estimate.figures)
		if (figure.name == name)
			return std::get<uint64_t>(figure.value);
	ADD_FAILURE() << "no figure " << name;
	return 0;
}

struct Predictor {
	const char *name;
	Estimate (*of_bits)(const Bits &, Pace &);
	Estimate (*of_literals)(const Literals &, Pace &);
	reference::Hits (*plain)(const reference::Symbols &);
};

const std::array<Predictor, 4> predictors{{
    {"multi_mcw", multi_mcw, multi_mcw, reference::multi_mcw},
    {"lag", lag, lag, reference::lag},
    {"multi_mmc", multi_mmc, multi_mmc, reference::multi_mmc},
    {"lz78y", lz78y, lz78y, reference::lz78y},
}};

/// An input with an alphabet of two is tested both as bits and as symbols.
void expect_equal(const Predictor &predictor, const Input &input)
{
	SCOPED_TRACE(
	    fmt::format("{} on {} symbols {}", predictor.name, input.symbols.size(), input.name));
	Monitor monitor({}, 1);
	Pace pace(monitor, 1);
	const auto plain = predictor.plain(input.symbols);
	std::vector<Estimate> fast{predictor.of_literals({input.symbols, input.alphabet}, pace)};
	if (input.alphabet == 2)
		fast.push_back(predictor.of_bits(Bits(input.symbols, 1), pace));
	for (const auto &estimate : fast) {
		EXPECT_EQ(count(estimate, "c"), plain.count);
		EXPECT_EQ(count(estimate, "r"), plain.longest + 1);
	}
}

TEST(AssessReference, PredictorsOnShortInputs)
{
	for (const size_t size : {20U, 64U, 65U, 500U})
		for (const auto &input : inputs_of_all_alphabets(size))
			for (const auto &predictor : predictors)
				if (predictor.plain != reference::multi_mcw) // needs more symbols
					expect_equal(predictor, input);
}

TEST(AssessReference, MultiMcw)
{
	for (const unsigned alphabet : {2U, 5U})
		for (const auto &input : inputs(4200, alphabet))
			expect_equal(predictors[0], input);
}

TEST(AssessReference, Lz78yWithItsDictionaryFull)
{
	expect_equal(predictors[3], inputs(6000, 256)[0]);
	expect_equal(predictors[3], inputs(12000, 5)[0]);
	expect_equal(predictors[3], inputs(24000, 2)[0]);
	// Half of the values occur only after the dictionary is full.
	expect_equal(predictors[3], {"late_values",
	                             make(6000,
	                                  [](size_t i, uint32_t random) {
		                                  return i < 5000 ? random % 128 : random % 256;
	                                  }),
	                             256});
}

TEST(AssessReference, Lz78yWhoseDictionaryFillsInTheMiddleOfAPlace)
{
	auto symbols = make(6000, [](size_t, uint32_t random) { return random % 128; });
	std::set<reference::Symbols> contexts;
	size_t place = 16;
	for (; contexts.size() < 65536; place++)
		for (size_t length = 16; length > 0; length--)
			contexts.insert(reference::context(symbols, place, length));
	// At this place only the longest of the contexts that end in a new value still has room. So
	// later nothing is predicted after that value.
	symbols.resize(place + 100);
	symbols[place - 2] = 200;
	for (uint8_t i = 0; i < 100; i++)
		symbols.insert(symbols.end(), {i, 200, 7});
	expect_equal(predictors[3], {"full_in_the_middle", symbols, 256});
}

TEST(AssessReference, ARaceIsJudgedInBlocksAsPlaceByPlace)
{
	// Subpredictors with similar scores that sometimes predict nothing.
	AesCtr stream;
	std::vector<uint8_t> random(size_t{3} * 64 * 200);
	stream.fill(random);
	for (const unsigned silent : {0U, 1U, 100U}) {
		assess::Race<3> race;
		assess::Hits hits;
		reference::Race plain(3);
		for (size_t block = 0; block < 200; block++) {
			const size_t places = block == 199 ? 17 : 64;
			std::array<uint64_t, 3> right{};
			std::array<uint64_t, 3> predicted{};
			for (size_t place = 0; place < places; place++) {
				std::vector<std::optional<uint8_t>> said(3);
				for (size_t i = 0; i < 3; i++) {
					const unsigned number = random[(block * 64 + place) * 3 + i];
					const uint64_t bit = uint64_t{1} << (63 - place);
					if (number < silent)
						continue;
					// The second and third improve over time, and often have equal scores.
					said[i] = number < 100 + 50 * std::min<size_t>(i, block / 60) ? 1 : 0;
					predicted[i] |= bit;
					right[i] |= said[i] == 1 ? bit : 0;
				}
				plain.judge(said, 1);
			}
			race.run(right, predicted, places, hits);
		}
		EXPECT_EQ(hits.count, plain.hits().count);
		EXPECT_EQ(hits.longest, plain.hits().longest);
	}
}

TEST(AssessReference, HitsCountRunsAcrossBlocks)
{
	AesCtr stream;
	std::vector<uint8_t> random(size_t{8} * 3000);
	stream.fill(random);
	assess::Hits blocks;
	assess::Hits places;
	for (size_t i = 0; i < random.size(); i += 8) {
		uint64_t right = 0;
		for (size_t j = 0; j < 8; j++)
			right = right << 8U | random[i + j];
		if (i % 16 == 0) // long runs; at multiples of 48 whole blocks
			right |= right << 1U | right << 2U | right << 3U | right << 4U;
		if (i % 48 == 0)
			right = ~uint64_t{0};
		blocks.add(right);
		for (unsigned place = 64; place-- > 0;) {
			if ((right >> place & 1U) != 0)
				places.hit();
			else
				places.miss();
		}
		ASSERT_EQ(blocks.count, places.count);
		ASSERT_EQ(blocks.run, places.run);
		ASSERT_EQ(blocks.longest, places.longest) << "block " << i / 8;
	}
}

void expect_equal_repeats(const Repeats &fast,
                          const std::vector<std::pair<uint32_t, uint64_t>> &plain)
{
	ASSERT_EQ(fast.longest(), plain.size());
	for (size_t length = 1; length <= plain.size(); length++) {
		EXPECT_EQ(fast.most[length], plain[length - 1].first) << "length " << length;
		EXPECT_EQ(fast.pairs[length], plain[length - 1].second) << "length " << length;
	}
}

unsigned width(unsigned alphabet)
{
	return static_cast<unsigned>(std::bit_width(alphabet - 1));
}

TEST(AssessReference, Repeats)
{
	for (const size_t size : {2U, 3U, 10U, 64U, 65U, 129U, 300U})
		for (const auto &input : inputs_of_all_alphabets(size)) {
			SCOPED_TRACE(fmt::format("{} symbols {}", size, input.name));
			const Bits bits(input.symbols, width(input.alphabet));
			expect_equal_repeats(count_repeats({bits, width(input.alphabet)}),
			                     reference::repeats(input.symbols));
		}
}

TEST(AssessReference, SuffixesAreInTheSameOrderHoweverTheyAreSorted)
{
	size_t gave_up = 0;
	for (const size_t size : {10U, 100U, 5000U, 60000U})
		for (const auto &input : inputs_of_all_alphabets(size)) {
			SCOPED_TRACE(fmt::format("{} symbols {}", size, input.name));
			const Bits bits(input.symbols, width(input.alphabet));
			const Text text{bits, width(input.alphabet)};
			const auto by_windows = order_suffixes_by_windows(text);
			if (by_windows.empty())
				gave_up++;
			else
				EXPECT_EQ(by_windows, order_suffixes(text));
			const bool random = input.name.starts_with("random");
			EXPECT_FALSE(random && by_windows.empty());
		}
	EXPECT_GT(gave_up, 0U); // so that the way without windows was tested too
}

TEST(AssessReference, LongRepeatsAreCountedWithoutWindows)
{
	// Two equal halves: every tuple up to half the text occurs twice.
	auto symbols = make(200'000, [](size_t, uint32_t random) { return random % 2; });
	symbols.insert(symbols.end(), symbols.begin(), symbols.end());
	const Bits bits(symbols, 1);
	ASSERT_TRUE(order_suffixes_by_windows({bits, 1}).empty());
	const auto repeats = count_repeats({bits, 1});
	EXPECT_EQ(repeats.longest(), 200'000U);
	EXPECT_EQ(repeats.most[150'000], 2U);
	EXPECT_EQ(repeats.pairs[150'000], 50'001U);

	// All symbols but one are equal: n - 1 zeros contain n - i tuples of i zeros.
	symbols.assign(100'000, 0);
	symbols.push_back(1);
	const Bits zeros(symbols, 1);
	const auto of_zeros = count_repeats({zeros, 1});
	EXPECT_EQ(of_zeros.longest(), 99'999U);
	EXPECT_EQ(of_zeros.most[1], 100'000U);
	EXPECT_EQ(of_zeros.pairs[99'000], uint64_t{1001} * 1000 / 2);
}

} // namespace
