// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/iid.h"

#include "assess/xoshiro256.h"
#include "samples.h"

#include <array>
#include <atomic>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace hwrngd::iid;

namespace {

struct KnownAnswer {
	const char *input;
	double h_original;
	std::optional<double> h_bitstring;
	double min_entropy;
	ChiSquare independence;
	ChiSquare goodness_of_fit;
	LongestRepeat longest_repeat;
	Values statistics;
};

// The output of NIST's ea_iid -vvv (1.1.7) for the inputs of samples.h ("Unpermuted result" and
// others), with all digits of a double.
const auto known_answers = std::to_array<KnownAnswer>({
    {.input = "ctr8",
     .h_original = 7.884460262112087,
     .h_bitstring = 0.9981798281685769,
     .min_entropy = 7.884460262112087,
     .independence = {65375.23444868898, 65280, 0.39539591642493854},
     .goodness_of_fit = {2317.464870298756, 2295, 0.3667988786134951},
     .longest_repeat = {0.003907147852000388, 4, 1, true},
     .statistics = {64343.00844800035, 666732, 8, 502480, 500237, 21, 20.767730680567382, 74, 3782,
                    3852, 3883, 3898, 3980, 16262228819, 16275397339, 16267378309, 16270749767,
                    16276181180, 1067325}},
    {.input = "ctr4",
     .h_original = 3.9737652914408508,
     .h_bitstring = 0.9968469549420077,
     .min_entropy = 3.9737652914408508,
     .independence = {231.26667081698625, 240, 0.6454377509097994},
     .goodness_of_fit = {124.85040003178489, 135, 0.7234210804993835},
     .longest_repeat = {0.06250074158808369, 9, 0.9993084747806935, true},
     .statistics = {3784.403167999815, 664777, 9, 531047, 493316, 29, 5.709081463127787, 16, 62122,
                    62210, 62288, 62577, 62496, 56113059, 56182443, 56160789, 56169335, 56156876,
                    543885}},
    {.input = "ctr1",
     .h_original = 0.993947871534455,
     .h_bitstring = std::nullopt,
     .min_entropy = 0.993947871534455,
     .independence = {2087.050500980383, 2046, 0.2585280825140579},
     .goodness_of_fit = {5.459870470753337, 9, 0.792520659042156},
     .longest_repeat = {0.500001325179126, 39, 0.5972819857729603, true},
     .statistics = {264.58479000001233, 79624, 13, 74845, 500314, 22, 20.718501326259947, 72, 24534,
                    24521, 24636, 24509, 24585, 1993932, 1993776, 1993582, 1992769, 1993780,
                    155777}},
    {.input = "and8",
     .h_original = 3.3101618739646,
     .h_bitstring = 0.41366389363021516,
     .min_entropy = 3.3093111490417213,
     .independence = {20646.297390646178, 21030, 0.9698905086786238},
     .goodness_of_fit = {2118.4903944354996, 2250, 0.9767042213081926},
     .longest_repeat = {0.02332869389402176, 7, 0.84743597223791, true},
     .statistics = {54550.8803380006, 665335, 9, 511192, 499952, 19, 9.661317437007266, 37, 23412,
                    23232, 23244, 23200, 23216, 4055028172, 4049071177, 4053991244, 4059425251,
                    4051873919, 925036}},
    {.input = "walk8",
     .h_original = 7.869240778089785,
     .h_bitstring = 0.9977267440252475,
     .min_entropy = 7.869240778089785,
     .independence = {31545169.911087345, 65280, 0},
     .goodness_of_fit = {4055.8634292437573, 2295, 3.94248499918209e-101},
     .longest_repeat = {0.003908003456000389, 15, 0, false},
     .statistics = {161081.90719000087, 380038, 46, 746999, 7695, 412, 3.6646547711972794, 22,
                    249664, 188079, 58304, 18543, 2621, 21573670293, 21511407021, 21167649761,
                    20707739167, 19806487581, 281547}},
    {.input = "ctr8_short",
     .h_original = 6.809233163212154,
     .h_bitstring = 0.986777897941846,
     .min_entropy = 6.809233163212154,
     .independence = {939.3048545931367, 735, 4.3442180297206054e-07},
     .goodness_of_fit = {1189.71426758743, 1188, 0.4805283966114482},
     .longest_repeat = {0.004020299999999997, 3, 0.9611226511169231, true},
     .statistics = {6451.071000000008, 6646, 7, 5017, 5034, 19, 21.34188034188034, 53, 31, 28, 32,
                    42, 44, 162036277, 162631350, 162609678, 162179997, 160858777, 10991}},
});

/// Equal with a relative error of 1e-9. NIST's tool loses values far below 1 to rounding.
void expect_same(double found, double expected, const std::string &what)
{
	EXPECT_NEAR(found, expected, std::abs(expected) * 1e-9 + 1e-18) << what;
}

void expect_chi_square(const ChiSquare &found, const ChiSquare &expected)
{
	expect_same(found.score, expected.score, "T");
	EXPECT_EQ(found.degrees_of_freedom, expected.degrees_of_freedom);
	expect_same(found.p, expected.p, "p");
}

TEST(Iid, KnownAnswers)
{
	for (const auto &known : known_answers) {
		SCOPED_TRACE(known.input);
		Options options;
		options.permutations = 0;
		const auto result = run_track(symbols_of(samples_of(known.input)), options);
		ASSERT_TRUE(result);
		expect_same(result->h_original, known.h_original, "H_original");
		ASSERT_EQ(result->h_bitstring.has_value(), known.h_bitstring.has_value());
		if (known.h_bitstring)
			expect_same(*result->h_bitstring, *known.h_bitstring, "H_bitstring");
		expect_same(result->min_entropy, known.min_entropy, "min entropy");

		expect_chi_square(result->independence, known.independence);
		expect_chi_square(result->goodness_of_fit, known.goodness_of_fit);
		expect_same(result->longest_repeat.collision, known.longest_repeat.collision, "p_col");
		EXPECT_EQ(result->longest_repeat.length, known.longest_repeat.length);
		expect_same(result->longest_repeat.p, known.longest_repeat.p, "P(X >= 1)");
		EXPECT_EQ(result->longest_repeat.passed, known.longest_repeat.passed);
		for (size_t i = 0; i < statistics; i++)
			expect_same(result->permutations[i].value, known.statistics[i],
			            name(static_cast<Statistic>(i)));
	}
}

/// The statistics except the compression, computed slowly and plainly as in the standard's text.
Values plain_statistics(const assess::Symbols &symbols)
{
	const bool binary = symbols.alphabet == 2;
	const size_t n = symbols.raw.size();
	Values values{};

	double mean = 0;
	for (const uint8_t sample : symbols.raw)
		mean += sample;
	mean /= static_cast<double>(n);
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += symbols.raw[i];
		values[excursion] =
		    std::max(values[excursion], std::abs(sum - static_cast<double>(i + 1) * mean));
	}

	const auto runs = [&values](const std::string &signs, Statistic number, Statistic longest) {
		size_t length = 0;
		for (size_t i = 0; i < signs.size(); i++) {
			const bool begins = i == 0 || signs[i] != signs[i - 1];
			length = begins ? 1 : length + 1;
			values[number] += begins ? 1 : 0;
			values[longest] = std::max(values[longest], static_cast<double>(length));
		}
	};
	auto sorted = symbols.raw;
	std::sort(sorted.begin(), sorted.end());
	const double middle = (sorted[n / 2] + sorted[(n - 1) / 2]) / 2.0;
	std::string signs;
	for (size_t i = 0; i < n; i++) {
		const bool high = binary ? symbols.values[i] == 1 : symbols.raw[i] >= middle;
		signs += high ? '+' : '-';
	}
	runs(signs, median_runs, longest_median_run);

	std::vector<uint8_t> one(symbols.raw);
	std::vector<uint8_t> two(symbols.raw);
	if (binary) {
		one.assign((n + 7) / 8, 0);
		two.assign((n + 7) / 8, 0);
		for (size_t i = 0; i < n; i++) {
			one[i / 8] = static_cast<uint8_t>(one[i / 8] + symbols.values[i]);
			two[i / 8] = static_cast<uint8_t>(two[i / 8] + (symbols.values[i] << (7 - i % 8)));
		}
	}
	signs.clear();
	for (size_t i = 0; i + 1 < one.size(); i++)
		signs += one[i] <= one[i + 1] ? '+' : '-';
	runs(signs, directional_runs, longest_directional_run);
	const auto up = static_cast<double>(std::count(signs.begin(), signs.end(), '+'));
	values[increases_decreases] = std::max(up, static_cast<double>(signs.size()) - up);

	double found = 0;
	for (size_t begin = 0, end = 1; end < two.size(); end++) {
		if (std::find(two.data() + begin, two.data() + end, two[end]) == two.data() + end)
			continue;
		const auto length = static_cast<double>(end - begin + 1);
		found++;
		values[average_collision] += length;
		values[longest_collision] = std::max(values[longest_collision], length);
		begin = ++end;
	}
	values[average_collision] /= found;

	for (size_t i = 0; i < lags.size(); i++)
		for (size_t j = 0; j + lags[i] < one.size(); j++) {
			values[periodicity_1 + i] += one[j] == one[j + lags[i]] ? 1 : 0;
			values[covariance_1 + i] += one[j] * one[j + lags[i]];
		}
	return values;
}

TEST(Iid, StatisticsAreThoseOfAPlainReference)
{
	Xoshiro256 random(1);
	for (int round = 0; round < 400; round++) {
		// Tests all lengths modulo 64, wide and narrow alphabets with gaps, short and long runs.
		std::vector<uint8_t> raw(Statistics::least_samples + static_cast<size_t>(round) % 130);
		const uint8_t mask =
		    std::array<uint8_t, 5>{0xff, 0x41, 0x13, 0x40, 0x01}[static_cast<size_t>(round) % 5];
		const double change = std::array{0.05, 0.5, 1.0}[static_cast<size_t>(round) % 3];
		uint8_t last = 0;
		for (auto &sample : raw) {
			if (random.unit() < change)
				last = static_cast<uint8_t>(random()) & mask;
			sample = last;
		}
		const auto symbols = symbols_of(raw);
		ASSERT_GE(symbols.alphabet, 2U);
		Values values{};
		Wanted wanted;
		wanted.set().reset(compression);
		Statistics(symbols).compute(sequence(symbols), wanted, values);
		const auto expected = plain_statistics(symbols);
		for (size_t i = 0; i < compression; i++)
			expect_same(values[i], expected[i], name(static_cast<Statistic>(i)));
		ASSERT_FALSE(HasFailure()) << "round " << round;
	}
}

TEST(Iid, OneSeedGivesOneResultOnAnyNumberOfThreads)
{
	const auto symbols = symbols_of(samples_of("ctr8_short"));
	std::vector<Assessment> results;
	for (const unsigned threads : {1U, 3U}) {
		Options options;
		options.seed = 1;
		options.threads = threads;
		const auto result = run_track(symbols, options);
		ASSERT_TRUE(result);
		results.push_back(*result);
		EXPECT_TRUE(result->permutations_passed());
	}
	for (size_t i = 0; i < statistics; i++) {
		const auto &one = results[0].permutations[i];
		const auto &three = results[1].permutations[i];
		EXPECT_EQ(one.higher, three.higher) << i;
		EXPECT_EQ(one.equal, three.equal) << i;
		EXPECT_EQ(one.lower, three.lower) << i;
		// As early as possible: the sixth permutation on one side decides.
		EXPECT_EQ(std::min(one.higher, one.lower) + one.equal, 6U) << i;
	}
}

TEST(Iid, AWalkFailsEveryStatisticThatSeesIt)
{
	auto raw = samples_of("walk8");
	raw.resize(10'000);
	Options options;
	options.permutations = 200;
	options.seed = 1;
	const auto result = run_track(symbols_of(raw), options);
	ASSERT_TRUE(result);
	EXPECT_FALSE(result->iid());
	EXPECT_FALSE(result->independence.passed());
	EXPECT_FALSE(result->longest_repeat.passed);
	for (size_t i = 0; i < statistics; i++) {
		const auto &ranked = result->permutations[i];
		EXPECT_EQ(ranked.verdict, Verdict::failed) << name(static_cast<Statistic>(i));
		EXPECT_EQ(ranked.higher + ranked.equal + ranked.lower, 200U);
	}
	// Decided without compressing a permutation, because the size is far below their entropy.
	EXPECT_EQ(result->permutations[compression].higher, 200U);
}

TEST(Iid, TheCompressionIsRankedOnlyWhereItMatters)
{
	// Random, except that every twentieth sample repeats its neighbour.
	auto raw = samples_of("ctr8_short");
	for (size_t i = 20; i < raw.size(); i += 20)
		raw[i] = raw[i - 1];
	const auto symbols = symbols_of(raw);
	Options options;
	options.permutations = 30;
	options.seed = 1;
	auto result = run_track(symbols, options);
	ASSERT_TRUE(result);
	EXPECT_EQ(result->permutations[periodicity_1].verdict, Verdict::failed);
	EXPECT_EQ(result->permutations[compression].verdict, Verdict::not_needed);
	EXPECT_FALSE(result->iid());
	options.all = true;
	result = run_track(symbols, options);
	ASSERT_TRUE(result);
	const auto &ranked = result->permutations[compression];
	EXPECT_NE(ranked.verdict, Verdict::not_needed);
	EXPECT_GT(ranked.higher + ranked.equal + ranked.lower, 0U);
}

TEST(Iid, TooFewSamplesOrValuesAreRefused)
{
	auto raw = samples_of("ctr8_short");
	raw.resize(Statistics::least_samples - 1);
	EXPECT_EQ(run_track(symbols_of(raw)).error().code, ExitCode::check_failed);
	raw.assign(Statistics::least_samples, 7);
	EXPECT_EQ(run_track(symbols_of(raw)).error().code, ExitCode::check_failed);
	// The fewest samples that are accepted.
	raw.front() = 8;
	Options options;
	options.permutations = 20;
	const auto result = run_track(symbols_of(raw), options);
	ASSERT_TRUE(result);
	EXPECT_FALSE(std::isnan(result->permutations[average_collision].value));
}

TEST(Iid, StopsWhenToldTo)
{
	auto raw = samples_of("walk8");
	raw.resize(10'000);
	std::stop_source stop;
	std::atomic<double> last = 0;
	Options options;
	options.permutations = UINT32_MAX;
	options.stop = stop.get_token();
	options.progress = [&](double done) {
		EXPECT_GE(done, last);
		last = done;
		if (done > 0)
			stop.request_stop();
	};
	const auto result = run_track(symbols_of(raw), options);
	ASSERT_FALSE(result);
	EXPECT_EQ(result.error().code, ExitCode::interrupted);
	EXPECT_GT(last, 0);
	EXPECT_LT(last, 0.01);
}

TEST(Iid, AllOrdersAreEquallyLikely)
{
	constexpr double rounds = 240'000;
	std::map<std::string, double> orders;
	Xoshiro256 random(1);
	for (int i = 0; i < rounds; i++) {
		std::vector<uint8_t> items{'a', 'b', 'c', 'd'};
		shuffle(items, random);
		orders[std::string(items.begin(), items.end())]++;
	}
	ASSERT_EQ(orders.size(), 24U);
	double score = 0;
	for (const auto &[order, count] : orders)
		score += std::pow(count - rounds / 24, 2) / (rounds / 24);
	EXPECT_GT(chi_square_p(score, 23), 0.001);
}

TEST(Iid, ChiSquareTails)
{
	// From tables: the 5 % and 0.1 % points.
	EXPECT_NEAR(chi_square_p(3.841458820694124, 1), 0.05, 1e-12);
	EXPECT_NEAR(chi_square_p(18.307038053275146, 10), 0.05, 1e-12);
	EXPECT_NEAR(chi_square_p(29.58829844507442, 10), 0.001, 1e-14);
	// With two degrees of freedom the result is exp(-x / 2).
	for (const double x : {0.1, 1.0, 2.0, 10.0, 100.0})
		EXPECT_NEAR(chi_square_p(x, 2), std::exp(-x / 2), std::exp(-x / 2) * 1e-12);
	EXPECT_EQ(chi_square_p(0, 5), 1);
	EXPECT_EQ(chi_square_p(1, 0), 1);
}

} // namespace
