// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/iid_tests.h"

#include "assess/repeats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace hwrngd::iid {

namespace {

constexpr double least_expected = 5; // least expected occurrences per bin
constexpr size_t parts = 10;         // number of parts in the goodness-of-fit test

/// The share of each value. Summed sample by sample to get the same rounding as NIST's tool: the
/// rounding decides which of two equal expectations comes first, and so decides the bins.
std::vector<double> proportions(const assess::Symbols &symbols)
{
	std::vector<double> result(symbols.alphabet);
	const double one = 1.0 / static_cast<double>(symbols.values.size());
	for (const uint8_t value : symbols.values)
		result[value] += one;
	return result;
}

struct Bins {
	std::vector<uint32_t> of;     ///< the bin of each item
	std::vector<double> expected; ///< expected occurrences in each bin
};

/// Section 5.2.1, steps 3 to 5: puts rare items into shared bins, so that each bin has enough
/// expected occurrences. Items are ordered by expectation, then by number.
Bins make_bins(const std::vector<double> &expected)
{
	std::vector<uint32_t> order(expected.size());
	std::iota(order.begin(), order.end(), 0U);
	std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
		return std::pair(expected[a], a) < std::pair(expected[b], b);
	});

	Bins bins;
	bins.of.resize(expected.size());
	bins.expected.push_back(0);
	for (const uint32_t item : order) {
		if (bins.expected.back() >= least_expected)
			bins.expected.push_back(0);
		bins.of[item] = static_cast<uint32_t>(bins.expected.size() - 1);
		bins.expected.back() += expected[item];
	}
	if (bins.expected.size() > 1 && bins.expected.back() < least_expected) {
		const double rest = bins.expected.back();
		bins.expected.pop_back();
		bins.expected.back() += rest;
		const auto last = static_cast<uint32_t>(bins.expected.size() - 1);
		for (auto &bin : bins.of)
			bin = std::min(bin, last);
	}
	return bins;
}

double score(const std::vector<uint64_t> &observed, const std::vector<double> &expected)
{
	double sum = 0;
	for (size_t i = 0; i < expected.size(); i++) {
		const double difference = static_cast<double>(observed[i]) - expected[i];
		sum += difference * difference / expected[i];
	}
	return sum;
}

ChiSquare result_of(double score, uint64_t degrees_of_freedom)
{
	return {score, degrees_of_freedom, chi_square_p(score, degrees_of_freedom)};
}

/// Section 5.2.1.
ChiSquare independence_of_symbols(const assess::Symbols &symbols)
{
	const auto p = proportions(symbols);
	const size_t pairs = symbols.values.size() / 2;
	std::vector<double> expected;
	for (const double first : p)
		for (const double second : p)
			expected.push_back(first * second * static_cast<double>(pairs));
	const Bins bins = make_bins(expected);
	std::vector<uint64_t> observed(bins.expected.size());
	for (size_t i = 0; i < pairs; i++)
		observed[bins.of[symbols.values[2 * i] * p.size() + symbols.values[2 * i + 1]]]++;
	// The number of bins minus 1, minus the k - 1 proportions estimated from the same samples.
	const size_t free = bins.expected.size() - std::min(p.size(), bins.expected.size());
	return result_of(score(observed, bins.expected), free);
}

double ones_of(std::span<const uint8_t> bits)
{
	return static_cast<double>(std::accumulate(bits.begin(), bits.end(), uint64_t{0}));
}

/// Section 5.2.3.
ChiSquare independence_of_bits(const assess::Symbols &symbols)
{
	const auto &bits = symbols.values;
	const size_t n = bits.size();
	const double p1 = ones_of(bits) / static_cast<double>(n);
	const double p0 = 1.0 - p1;
	// Use the longest tuples for which even the rarest one is expected often enough.
	size_t m = 11;
	size_t tuples = n / m;
	while (m > 1 && std::pow(std::min(p0, p1), m) * static_cast<double>(tuples) < least_expected)
		tuples = n / --m;
	if (m < 2)
		return {};
	std::vector<uint64_t> observed(size_t{1} << m);
	for (size_t i = 0; i < tuples; i++) {
		size_t tuple = 0;
		for (size_t j = 0; j < m; j++)
			tuple = tuple << 1U | bits[i * m + j];
		observed[tuple]++;
	}
	std::vector<double> expected(observed.size());
	for (size_t i = 0; i < expected.size(); i++) {
		const auto weight = static_cast<size_t>(std::popcount(i));
		expected[i] = std::pow(p1, weight) * std::pow(p0, m - weight) * static_cast<double>(tuples);
	}
	return result_of(score(observed, expected), expected.size() - 2);
}

/// Section 5.2.2.
ChiSquare fit_of_symbols(const assess::Symbols &symbols)
{
	const size_t length = symbols.values.size() / parts;
	auto expected = proportions(symbols);
	for (double &item : expected)
		item *= static_cast<double>(length);
	const Bins bins = make_bins(expected);
	double sum = 0;
	for (size_t part = 0; part < parts; part++) {
		std::vector<uint64_t> observed(bins.expected.size());
		for (size_t i = 0; i < length; i++)
			observed[bins.of[symbols.values[part * length + i]]]++;
		sum += score(observed, bins.expected);
	}
	return result_of(sum, (parts - 1) * (bins.expected.size() - 1));
}

/// Section 5.2.4.
ChiSquare fit_of_bits(const assess::Symbols &symbols)
{
	const std::span<const uint8_t> bits = symbols.values;
	const size_t length = bits.size() / parts;
	const double p = ones_of(bits) / static_cast<double>(bits.size());
	const double zeros = (1.0 - p) * static_cast<double>(length);
	const double ones = p * static_cast<double>(length);
	double sum = 0;
	for (size_t part = 0; part < parts; part++) {
		const double found = ones_of(bits.subspan(part * length, length));
		const double missing = static_cast<double>(length) - found;
		sum +=
		    (missing - zeros) * (missing - zeros) / zeros + (found - ones) * (found - ones) / ones;
	}
	return result_of(sum, parts - 1);
}

} // namespace

double chi_square_p(double score, uint64_t degrees_of_freedom)
{
	// This is the regularized upper incomplete gamma function Q(a, x).
	const auto a = static_cast<long double>(degrees_of_freedom) / 2;
	const auto x = static_cast<long double>(score) / 2;
	if (a <= 0 || x <= 0)
		return 1;
	constexpr auto epsilon = std::numeric_limits<long double>::epsilon();
	const long double front = std::exp(a * std::log(x) - x - std::lgamma(a));
	if (x < a) {
		// The series of the lower incomplete gamma function.
		long double term = 1 / a;
		long double sum = term;
		for (long double k = a + 1; term > sum * epsilon; k++) {
			term *= x / k;
			sum += term;
		}
		return static_cast<double>(1 - front * sum);
	}
	// The continued fraction of the upper function, by Lentz's method.
	long double b = x + 1 - a;
	long double c = std::numeric_limits<long double>::max();
	long double d = 1 / b;
	long double fraction = d;
	for (long double k = 1;; k++) {
		const long double numerator = k * (a - k);
		b += 2;
		d = 1 / (b + numerator * d);
		c = b + numerator / c;
		const long double change = c * d;
		fraction *= change;
		if (std::abs(change - 1) <= epsilon)
			return static_cast<double>(front * fraction);
	}
}

ChiSquare independence(const assess::Symbols &symbols)
{
	return symbols.alphabet == 2 ? independence_of_bits(symbols) : independence_of_symbols(symbols);
}

ChiSquare goodness_of_fit(const assess::Symbols &symbols)
{
	return symbols.alphabet == 2 ? fit_of_bits(symbols) : fit_of_symbols(symbols);
}

LongestRepeat longest_repeat(const assess::Symbols &symbols)
{
	const auto n = static_cast<long double>(symbols.values.size());
	std::vector<uint64_t> counts(symbols.alphabet);
	for (const uint8_t value : symbols.values)
		counts[value]++;
	long double p_col = 0;
	for (const uint64_t count : counts)
		p_col += (static_cast<long double>(count) / n) * (static_cast<long double>(count) / n);

	LongestRepeat result;
	result.collision = static_cast<double>(p_col);
	const assess::Bits bits(symbols.raw, symbols.bits);
	result.length = assess::count_repeats({bits, symbols.bits}).longest();
	// In logarithms, because log(1 - p_col^W) of a single pair is tiny and there are many pairs.
	const long double substrings = n - static_cast<long double>(result.length) + 1;
	const long double pairs = substrings * (substrings - 1) / 2;
	const auto length = static_cast<long double>(result.length);
	const long double log_none = pairs * std::log1p(-std::pow(p_col, length));
	result.p = static_cast<double>(-std::expm1(log_none));
	result.passed = result.p >= least_p;
	return result;
}

} // namespace hwrngd::iid
