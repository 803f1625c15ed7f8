// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/fips140_2.h"

#include "health/fips140_2_count.h"

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
// As in rngtest, the poker statistic is the sum of squared counts, without the factor 16/5000.
constexpr Interval poker_allowed{1563176, 1576928};
constexpr std::array<Interval, run_classes> runs_allowed{{
    {2315, 2685},
    {1114, 1386},
    {527, 723},
    {240, 384},
    {103, 209},
    {103, 209},
}};

// The share of a perfect source's blocks that fail at least one test. Measured: of 2,000,000 blocks
// of getrandom(2) 1,656 failed (monobit 206, poker 223, runs 605, long run 630).
constexpr double perfect_failure_rate = 8.3e-4;

uint32_t little_endian_word(std::span<const uint8_t> bytes)
{
	return static_cast<uint32_t>(bytes[0]) | static_cast<uint32_t>(bytes[1]) << 8U |
	       static_cast<uint32_t>(bytes[2]) << 16U | static_cast<uint32_t>(bytes[3]) << 24U;
}

/// Counts how often each value of a nibble occurs, and returns the sum of the squares. By
/// Parseval's theorem this is a sixteenth of the sum of squares of the Walsh spectrum, which
/// follows from the parities.
uint32_t sum_of_squares(const Counts &counts)
{
	constexpr int nibbles = 2 * block_bytes;
	int squares = nibbles * nibbles;
	for (size_t mask = 1; mask < counts.odd.size(); mask++) {
		const int even_less_odd = nibbles - 2 * counts.odd[mask];
		squares += even_less_odd * even_less_odd;
	}
	return static_cast<uint32_t>(squares) / 16;
}

bool runs_hold(const std::array<uint16_t, run_classes> &at_least)
{
	bool hold = true;
	for (size_t i = 0; i < run_classes; i++) {
		const unsigned longer = i + 1 < run_classes ? at_least[i + 1] : 0U;
		hold &= runs_allowed[i].holds(at_least[i] - longer);
	}
	return hold;
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

uint8_t judge(const Counts &counts)
{
	const auto ones =
	    static_cast<uint32_t>(counts.odd[1] + counts.odd[2] + counts.odd[4] + counts.odd[8]);
	uint8_t failed = 0;
	if (!ones_allowed.holds(ones))
		failed |= monobit;
	if (!poker_allowed.holds(sum_of_squares(counts)))
		failed |= poker;
	if (!runs_hold(counts.runs[0]) || !runs_hold(counts.runs[1]))
		failed |= runs;
	if (counts.long_run)
		failed |= long_run;
	if (counts.equal_words)
		failed |= continuous;
	return failed;
}

uint8_t Tester::test(std::span<const uint8_t, block_bytes> block)
{
	uint8_t failed = judge(count(block));
	if (little_endian_word(block) == last_word_)
		failed |= continuous;
	last_word_ = little_endian_word(block.last<4>());
	return failed;
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

uint64_t failures_allowed(uint64_t blocks, double false_alarm_rate)
{
	const double expected = static_cast<double>(blocks) * perfect_failure_rate;
	double at_most = 0; // P(failures <= k)
	uint64_t k = 0;
	// Beyond ten standard deviations the tail is zero; the bound only guards against rounding.
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
