// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/fips140_2.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hwrngd::fips140_2 {

namespace {

struct Interval {
	uint32_t least;
	uint32_t most;

	[[nodiscard]] constexpr bool holds(uint32_t value) const
	{
		return value >= least && value <= most;
	}
};

constexpr Interval ones_allowed{9726, 10274};
// rngtest's form of the poker statistic: the sum of squared counts, not scaled by 16/5000.
constexpr Interval poker_allowed{1563176, 1576928};
constexpr size_t longest_class = 6; // runs of six or more bits are counted together
constexpr std::array<Interval, longest_class> runs_allowed{{
    {2315, 2685},
    {1114, 1386},
    {527, 723},
    {240, 384},
    {103, 209},
    {103, 209},
}};
constexpr uint32_t long_run_bits = 26;

// How often a block of a perfect source fails at least one test: 1,656 of 2,000,000 blocks of
// getrandom(2), shared out as monobit 206, poker 223, runs 605, long run 630.
constexpr double perfect_failure_rate = 8.3e-4;
constexpr double false_alarm_rate = 1e-3;

/// Runs of equal bits in a block, most significant bit first.
class RunCounter {
public:
	/// Feeds the `bits` most significant bits of `word`.
	void feed(uint64_t word, int bits)
	{
		while (bits > 0) {
			const int ones = std::countl_one(word);
			const int zeros = std::countl_zero(word);
			const int length = std::min(std::max(ones, zeros), bits);
			const unsigned value = ones > 0 ? 1U : 0U;
			if (value != value_)
				finish(value);
			length_ += static_cast<uint32_t>(length);
			bits -= length;
			word = length < 64 ? word << length : 0;
		}
	}

	/// Ends the last run. Returns the Failure bits of the runs and the long run test.
	uint8_t result()
	{
		finish(value_);
		uint8_t failed = longest_ >= long_run_bits ? long_run : 0;
		for (const auto &counts : counts_)
			for (size_t i = 0; i < longest_class; i++)
				if (!runs_allowed[i].holds(counts[i]))
					failed |= runs;
		return failed;
	}

private:
	void finish(unsigned next_value)
	{
		if (length_ > 0)
			counts_[value_][std::min<size_t>(length_, longest_class) - 1]++;
		longest_ = std::max(longest_, length_);
		length_ = 0;
		value_ = next_value;
	}

	std::array<std::array<uint32_t, longest_class>, 2> counts_{};
	unsigned value_ = 0;
	uint32_t length_ = 0;
	uint32_t longest_ = 0;
};

uint32_t little_endian_word(std::span<const uint8_t> bytes)
{
	return static_cast<uint32_t>(bytes[0]) | static_cast<uint32_t>(bytes[1]) << 8U |
	       static_cast<uint32_t>(bytes[2]) << 16U | static_cast<uint32_t>(bytes[3]) << 24U;
}

} // namespace

const char *name(Failure test)
{
	switch (test) {
	case monobit:
		return "Monobit";
	case poker:
		return "Poker";
	case runs:
		return "Runs";
	case long_run:
		return "Long run";
	case continuous:
		return "Continuous run";
	}
	return "?";
}

Tester::Tester(std::span<const uint8_t, bootstrap_bytes> bootstrap)
    : last_word_(little_endian_word(bootstrap))
{
}

uint8_t Tester::test(std::span<const uint8_t, block_bytes> block)
{
	std::array<uint32_t, 16> nibbles{};
	RunCounter run_counter;
	uint32_t ones = 0;
	uint8_t failed = 0;

	for (size_t i = 0; i < block_bytes; i += 4) {
		const uint32_t word = little_endian_word(block.subspan(i, 4));
		if (word == last_word_)
			failed |= continuous;
		last_word_ = word;
		ones += static_cast<uint32_t>(std::popcount(word));
		for (uint32_t rest = word, n = 0; n < 8; n++, rest >>= 4U)
			nibbles[rest & 15U]++;
		// Byte 0 holds the first bits of the stream, so it must be the most significant.
		run_counter.feed(static_cast<uint64_t>(__builtin_bswap32(word)) << 32U, 32);
	}

	uint32_t squares = 0;
	for (const uint32_t count : nibbles)
		squares += count * count;
	if (!ones_allowed.holds(ones))
		failed |= monobit;
	if (!poker_allowed.holds(squares))
		failed |= poker;
	return failed | run_counter.result();
}

void Statistics::add(uint8_t failed)
{
	blocks++;
	failures += failed != 0 ? 1 : 0;
	for (size_t i = 0; i < all_tests.size(); i++)
		by_test[i] += (failed & all_tests[i]) != 0 ? 1 : 0;
}

uint64_t Statistics::of(Failure test) const
{
	return by_test[static_cast<size_t>(std::countr_zero(static_cast<unsigned>(test)))];
}

bool Statistics::healthy() const
{
	return blocks > 0 && of(continuous) == 0 && failures <= failures_allowed(blocks);
}

uint64_t failures_allowed(uint64_t blocks)
{
	const double expected = static_cast<double>(blocks) * perfect_failure_rate;
	double at_most = 0; // P(failures <= k)
	uint64_t k = 0;
	// Far beyond ten deviations the tail is nil; the bound only guards against rounding.
	const auto end = static_cast<uint64_t>(expected + (10 * std::sqrt(expected)) + 10);
	for (; k < end; k++) {
		const auto count = static_cast<double>(k);
		at_most += std::exp((count * std::log(expected)) - expected - std::lgamma(count + 1));
		if (1 - at_most <= false_alarm_rate)
			break;
	}
	return k;
}

} // namespace hwrngd::fips140_2
