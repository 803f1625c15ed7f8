// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/iid_statistics.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hwrngd::iid {

namespace {

/// Packs flags of 0 or 1 into bits: bit i of the result is flag i, and bits after the last flag are
/// zero.
void pack(std::span<const uint8_t> flags, std::vector<uint64_t> &bits)
{
	bits.assign((flags.size() + 63) / 64, 0);
	size_t i = 0;
	if constexpr (std::endian::native == std::endian::little) {
		for (; i + 8 <= flags.size(); i += 8) {
			uint64_t eight = 0;
			std::memcpy(&eight, flags.data() + i, sizeof(eight));
			// The multiplication moves each flag to its bit of the top byte, without carries.
			bits[i / 64] |= (eight * 0x0102040810204080U >> 56U) << (i % 64);
		}
	}
	for (; i < flags.size(); i++)
		bits[i / 64] |= static_cast<uint64_t>(flags[i]) << (i % 64);
}

struct Runs {
	uint64_t runs = 0;
	uint64_t longest = 0;
	uint64_t ones = 0;
};

/// True if the word has 16 (if `sixteen`) or 8 zero bits in a row.
bool has_zeros(uint64_t word, bool sixteen)
{
	uint64_t zeros = ~word;
	zeros &= zeros >> 1U;
	zeros &= zeros >> 2U;
	zeros &= zeros >> 4U;
	if (sixteen)
		zeros &= zeros >> 8U;
	return zeros != 0;
}

/// Counts runs of equal bits among the first `size` bits (at least one).
Runs count_runs(std::span<const uint64_t> bits, size_t size)
{
	Runs result;
	size_t begin = 0; // start of the current run
	bool last = (bits[0] & 1U) != 0;
	for (size_t i = 0; i < bits.size(); i++) {
		result.ones += static_cast<uint64_t>(std::popcount(bits[i]));
		// Bit b is set if a run begins there; beyond the end no bit is set.
		uint64_t begins = bits[i] ^ (bits[i] << 1U | (last ? 1U : 0U));
		last = bits[i] >> 63U != 0;
		if (size - i * 64 < 64)
			begins &= (uint64_t{1} << (size - i * 64)) - 1;
		if (begins == 0)
			continue;
		result.runs += static_cast<uint64_t>(std::popcount(begins));
		// Most words contain no run that is longer than the longest so far. Then only the run that
		// started before this word needs a check.
		if (result.longest >= 8 && !has_zeros(begins, result.longest >= 16)) {
			const size_t first = i * 64 + static_cast<size_t>(std::countr_zero(begins));
			result.longest = std::max<uint64_t>(result.longest, first - begin);
			begin = i * 64 + 63 - static_cast<size_t>(std::countl_zero(begins));
			continue;
		}
		for (; begins != 0; begins &= begins - 1) {
			const size_t next = i * 64 + static_cast<size_t>(std::countr_zero(begins));
			result.longest = std::max<uint64_t>(result.longest, next - begin);
			begin = next;
		}
	}
	result.runs++;
	result.longest = std::max<uint64_t>(result.longest, size - begin);
	return result;
}

/// Sections 5.1.7 and 5.1.8: counts samples until a value occurs again, then starts over.
void collisions(std::span<const uint8_t> samples, Values &values)
{
	std::array<uint32_t, 256> seen{}; // the last round in which each value occurred
	uint32_t round = 1;
	uint64_t sum = 0;
	size_t longest = 0;
	size_t begin = 0;
	for (size_t i = 0; i < samples.size(); i++) {
		uint32_t &last = seen[samples[i]];
		if (last != round) {
			last = round;
			continue;
		}
		const size_t length = i - begin + 1;
		sum += length;
		longest = std::max(longest, length);
		begin = i + 1;
		round++;
	}
	values[average_collision] = static_cast<double>(sum) / static_cast<double>(round - 1);
	values[longest_collision] = static_cast<double>(longest);
}

/// Section 5.1.9.
double periodicity(std::span<const uint8_t> samples, size_t lag)
{
	uint64_t equal = 0;
	const uint8_t *a = samples.data();
	const uint8_t *b = a + lag;
	for (size_t left = samples.size() - lag; left > 0;) {
		// Pieces whose counts fit into 8 bits vectorize best.
		const size_t piece = std::min<size_t>(left, 255);
		uint8_t sum = 0;
		for (size_t i = 0; i < piece; i++)
			sum = static_cast<uint8_t>(sum + (a[i] == b[i] ? 1 : 0));
		equal += sum;
		a += piece;
		b += piece;
		left -= piece;
	}
	return static_cast<double>(equal);
}

/// Section 5.1.10.
double covariance(std::span<const uint8_t> samples, size_t lag)
{
	uint64_t sum = 0;
	const uint8_t *a = samples.data();
	const uint8_t *b = a + lag;
	for (size_t left = samples.size() - lag; left > 0;) {
		const size_t piece = std::min<size_t>(left, 32768); // the products are below 2^16
		uint32_t part = 0;
		for (size_t i = 0; i < piece; i++)
			part += static_cast<uint32_t>(a[i]) * b[i];
		sum += part;
		a += piece;
		b += piece;
		left -= piece;
	}
	return static_cast<double>(sum);
}

/// Conversion I of section 5.1: the number of ones in each eight bits; the last group may be
/// shorter.
std::span<const uint8_t> convert_1(std::span<const uint8_t> bits, std::vector<uint8_t> &out)
{
	out.assign((bits.size() + 7) / 8, 0);
	for (size_t i = 0; i < bits.size(); i++)
		out[i / 8] = static_cast<uint8_t>(out[i / 8] + bits[i]);
	return out;
}

/// Conversion II of section 5.1: each eight bits as a number, with the first bit as the highest.
std::span<const uint8_t> convert_2(std::span<const uint8_t> bits, std::vector<uint8_t> &out)
{
	out.assign((bits.size() + 7) / 8, 0);
	for (size_t i = 0; i < bits.size(); i++)
		out[i / 8] = static_cast<uint8_t>(out[i / 8] | bits[i] << (7 - i % 8));
	return out;
}

/// Maps each sample of sequence() to the sample as read.
std::array<uint8_t, 256> raw_values(const assess::Symbols &symbols)
{
	std::array<uint8_t, 256> raw{};
	const auto samples = sequence(symbols);
	for (size_t i = 0; i < samples.size(); i++)
		raw[samples[i]] = symbols.raw[i];
	return raw;
}

} // namespace

const char *name(Statistic statistic)
{
	static constexpr std::array<const char *, statistics> names{
	    "excursion",       "numDirectionalRuns", "lenDirectionalRuns", "numIncreasesDecreases",
	    "numRunsMedian",   "lenRunsMedian",      "avgCollision",       "maxCollision",
	    "periodicity(1)",  "periodicity(2)",     "periodicity(8)",     "periodicity(16)",
	    "periodicity(32)", "covariance(1)",      "covariance(2)",      "covariance(8)",
	    "covariance(16)",  "covariance(32)",     "compression"};
	return names[statistic];
}

Statistics::Statistics(const assess::Symbols &symbols)
    : binary_(symbols.alphabet == 2), raw_(raw_values(symbols)), compressed_size_(raw_)
{
	const auto samples = sequence(symbols);
	std::array<size_t, 256> counts{};
	for (size_t i = 0; i < samples.size(); i++) {
		counts[samples[i]]++;
		sum_ += symbols.raw[i];
	}
	if (binary_) {
		upper_half_ = 1; // the median is 0.5 by definition (5.1.5)
		return;
	}
	// For an even number of samples the median is the mean of the two in the middle. A sample is at
	// least that mean exactly if it is at least the upper one of the two.
	size_t below = 0;
	for (size_t value = 0; below <= samples.size() / 2; value++) {
		below += counts[value];
		upper_half_ = static_cast<uint8_t>(value);
	}
}

double Statistics::excursion_of(std::span<const uint8_t> samples) const
{
	// The deviation of each partial sum from its expectation, times n: a whole number.
	const auto n = static_cast<int64_t>(samples.size());
	std::array<int64_t, 256> step{};
	for (size_t value = 0; value < step.size(); value++)
		step[value] = n * raw_[value] - static_cast<int64_t>(sum_);
	int64_t deviation = 0;
	int64_t highest = 0;
	int64_t lowest = 0;
	for (const uint8_t sample : samples) {
		deviation += step[sample];
		highest = std::max(highest, deviation);
		lowest = std::min(lowest, deviation);
	}
	return static_cast<double>(std::max(highest, -lowest)) / static_cast<double>(n);
}

void Statistics::directional(std::span<const uint8_t> samples, const Wanted &wanted, Values &values)
{
	if (!wanted[directional_runs] && !wanted[longest_directional_run] &&
	    !wanted[increases_decreases])
		return;
	const size_t steps = samples.size() - 1;
	flags_.resize(steps);
	for (size_t i = 0; i < steps; i++)
		flags_[i] = samples[i] > samples[i + 1] ? 1 : 0;
	pack(flags_, bits_);
	const Runs runs = count_runs(bits_, steps);
	values[directional_runs] = static_cast<double>(runs.runs);
	values[longest_directional_run] = static_cast<double>(runs.longest);
	values[increases_decreases] = static_cast<double>(std::max(runs.ones, steps - runs.ones));
}

void Statistics::median(std::span<const uint8_t> samples, const Wanted &wanted, Values &values)
{
	if (!wanted[median_runs] && !wanted[longest_median_run])
		return;
	flags_.resize(samples.size());
	for (size_t i = 0; i < samples.size(); i++)
		flags_[i] = samples[i] >= upper_half_ ? 1 : 0;
	pack(flags_, bits_);
	const Runs runs = count_runs(bits_, samples.size());
	values[median_runs] = static_cast<double>(runs.runs);
	values[longest_median_run] = static_cast<double>(runs.longest);
}

void Statistics::compute(std::span<const uint8_t> samples, const Wanted &wanted, Values &values)
{
	if (wanted[excursion])
		values[excursion] = excursion_of(samples);
	median(samples, wanted, values);
	if (wanted[compression])
		values[compression] = static_cast<double>(compressed_size_(samples));

	auto of_bytes = samples;
	if (wanted[average_collision] || wanted[longest_collision]) {
		if (binary_)
			of_bytes = convert_2(samples, converted_);
		collisions(of_bytes, values);
	}
	if (binary_)
		of_bytes = convert_1(samples, converted_);
	directional(of_bytes, wanted, values);
	for (size_t i = 0; i < lags.size(); i++) {
		if (wanted[periodicity_1 + i])
			values[periodicity_1 + i] = periodicity(of_bytes, lags[i]);
		if (wanted[covariance_1 + i])
			values[covariance_1 + i] = covariance(of_bytes, lags[i]);
	}
}

} // namespace hwrngd::iid
