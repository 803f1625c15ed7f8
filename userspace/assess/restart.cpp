// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/restart.h"

#include "assess/estimators.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

namespace hwrngd::restart {

namespace {

// With this rate per row or column, one of the 2000 is above the cutoff with a probability of 0.01.
const double alpha = -std::expm1(std::log(0.99) / (restarts + samples));

using Polynomial = std::vector<double>; // its degree is at most 1000

Polynomial product(const Polynomial &a, const Polynomial &b)
{
	Polynomial result(std::min(a.size() + b.size() - 1, samples + 1));
	for (size_t i = 0; i < a.size() && i < result.size(); i++)
		for (size_t j = 0; j < b.size() && i + j < result.size(); j++)
			result[i + j] += a[i] * b[j];
	return result;
}

/// The probabilities of the values 0 to `most` of a Poisson distribution.
Polynomial poisson(double mean, uint32_t most)
{
	Polynomial result{std::exp(-mean)};
	for (uint32_t i = 1; i <= most; i++)
		result.push_back(result.back() * mean / i);
	return result;
}

/// The probability that no value occurs more than `most` times, with `values` values of probability
/// p and one value for the rest. If the number of samples were Poisson distributed with a mean of
/// 1000, the counts of the values would be independent and Poisson distributed. So their generating
/// functions are multiplied, and the coefficient for exactly 1000 samples is used.
double none_above(uint32_t most, unsigned values, double p)
{
	const auto n = static_cast<double>(samples);
	Polynomial all = poisson(std::max(0.0, 1 - values * p) * n, most);
	Polynomial power = poisson(p * n, most);
	for (unsigned left = values; left > 0; left >>= 1U) {
		if ((left & 1U) != 0)
			all = product(all, power);
		if (left > 1)
			power = product(power, power);
	}
	if (all.size() <= samples)
		return 0;
	return all[samples] / std::exp(n * std::log(n) - n - std::lgamma(n + 1));
}

uint32_t most_common(std::span<const uint8_t> values)
{
	std::array<uint32_t, 256> counts{};
	for (const uint8_t value : values)
		counts[value]++;
	return *std::max_element(counts.begin(), counts.end());
}

/// The greatest count of all rows.
uint32_t most_common_of_rows(const assess::Symbols &matrix)
{
	uint32_t most = 0;
	for (size_t row = 0; row < restarts; row++)
		most =
		    std::max(most, most_common(std::span(matrix.values).subspan(row * samples, samples)));
	return most;
}

std::vector<uint8_t> transpose(const std::vector<uint8_t> &matrix)
{
	std::vector<uint8_t> result;
	result.reserve(matrix.size());
	for (size_t column = 0; column < samples; column++)
		for (size_t row = 0; row < restarts; row++)
			result.push_back(matrix[row * samples + column]);
	return result;
}

/// Like NIST's tool, uses only the estimates of the symbols, not those of their bits.
Result<double> min_entropy_of(const assess::Symbols &matrix, Track track,
                              const assess::Options &options)
{
	if (track == Track::iid)
		return assess::most_common_value(assess::Literals{matrix.values, matrix.alphabet})
		    .min_entropy.value_or(0);
	const auto assessment = assess::non_iid(matrix, options);
	if (!assessment)
		return std::unexpected(assessment.error());
	return assessment->h_original;
}

} // namespace

const char *name(Track track)
{
	return track == Track::iid ? "iid" : "non_iid";
}

uint32_t most_common_cutoff(double min_entropy)
{
	const double p = std::exp2(-min_entropy);
	const auto values = static_cast<unsigned>(1 / p);
	// Find the least number that is exceeded with a probability of at most alpha.
	uint32_t low = 0;
	uint32_t high = samples;
	while (low < high) {
		const uint32_t middle = (low + high) / 2;
		if (1 - none_above(middle, values, p) <= alpha)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool Assessment::passed() const
{
	return sane() && h_rows && h_columns && std::min(*h_rows, *h_columns) >= h_initial / 2;
}

double Assessment::min_entropy() const
{
	return passed() ? std::min({h_rows.value_or(0), h_columns.value_or(0), h_initial}) : 0;
}

Result<Assessment> run_tests(const assess::Symbols &rows, double h_initial, Track track,
                             const assess::Options &options)
{
	if (rows.values.size() != restarts * samples)
		return fail(
		    ExitCode::check_failed,
		    fmt::format("{} samples: the restart tests need {} samples from each of {} restarts",
		                rows.values.size(), samples, restarts));
	if (std::isnan(h_initial) || h_initial < 0 || std::ceil(std::exp2(h_initial)) > rows.alphabet)
		return fail(
		    ExitCode::check_failed,
		    fmt::format(
		        "a min-entropy of {} bits is impossible for samples with {} different values",
		        h_initial, rows.alphabet));

	assess::Symbols columns{.raw = transpose(rows.raw),
	                        .values = transpose(rows.values),
	                        .bits = rows.bits,
	                        .alphabet = rows.alphabet};
	Assessment result;
	result.track = track;
	result.h_initial = h_initial;
	result.most_in_row = most_common_of_rows(rows);
	result.most_in_column = most_common_of_rows(columns);
	result.cutoff = most_common_cutoff(h_initial);
	if (!result.sane())
		return result;

	const auto of_rows = min_entropy_of(rows, track, options);
	if (!of_rows)
		return std::unexpected(of_rows.error());
	const auto of_columns = min_entropy_of(columns, track, options);
	if (!of_columns)
		return std::unexpected(of_columns.error());
	result.h_rows = *of_rows;
	result.h_columns = *of_columns;
	return result;
}

} // namespace hwrngd::restart
