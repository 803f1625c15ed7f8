// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/restart.h"

#include "assess/xoshiro256.h"
#include "samples.h"

#include <algorithm>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::restart;
using namespace hwrngd::test;

namespace {

TEST(Restart, Cutoffs)
{
	// With two values the greater count is binomial, and with four equally likely values nearly so.
	// These cutoffs were summed exactly, with 60 decimal digits. NIST's tool simulates, and is
	// sometimes off by one.
	EXPECT_EQ(most_common_cutoff(0.5), 769U);
	EXPECT_EQ(most_common_cutoff(0.99), 574U);
	EXPECT_EQ(most_common_cutoff(2), 316U);
	// NIST's ea_restart found these in 5,000,000 rounds of simulation.
	EXPECT_EQ(most_common_cutoff(3.3093), 150U);
	EXPECT_EQ(most_common_cutoff(3.97), 105U);
	EXPECT_EQ(most_common_cutoff(6), 40U);
	EXPECT_EQ(most_common_cutoff(7.88), 20U);
	EXPECT_EQ(most_common_cutoff(8), 19U);
	// Without a claim.
	EXPECT_EQ(most_common_cutoff(0), 1000U);
}

TEST(Restart, CutoffsAreThoseOfASimulation)
{
	// A simulated row exceeds the cutoff with a probability of about alpha, so hardly more than two
	// of 20,000 rows do. A cutoff that is a little too low would be exceeded far more often.
	constexpr int rows = 20'000;
	Xoshiro256 random(1);
	for (const double h : {1.0, 1.5, 4.3, 7.3}) {
		const double p = std::exp2(-h);
		const uint32_t cutoff = most_common_cutoff(h);
		std::vector<uint32_t> most;
		for (int row = 0; row < rows; row++) {
			std::array<uint32_t, 256> counts{};
			for (int i = 0; i < 1000; i++)
				counts[static_cast<size_t>(random.unit() / p)]++;
			most.push_back(*std::max_element(counts.begin(), counts.end()));
		}
		EXPECT_LE(std::count_if(most.begin(), most.end(), [&](auto m) { return m > cutoff; }), 2);
		// The greatest count of all rows is a few deviations below the cutoff.
		EXPECT_GE(*std::max_element(most.begin(), most.end()) * 1.15, cutoff) << h;
	}
}

std::vector<uint8_t> matrix()
{
	return samples_of("ctr8");
}

TEST(Restart, KnownAnswers)
{
	struct KnownAnswer {
		const char *input; // a name in samples.h
		double h_initial;
		uint32_t most;
		double h_rows;
		double h_columns;
	};
	// The output of NIST's ea_restart -n -vv (1.1.7), which prints six digits.
	for (const auto &known : {KnownAnswer{"ctr4", 3.9, 95, 3.874517, 3.872578},
	                          KnownAnswer{"ctr1", 0.9, 558, 0.896955, 0.876460}}) {
		SCOPED_TRACE(known.input);
		const auto result = run_tests(symbols_of(samples_of(known.input)), known.h_initial);
		ASSERT_TRUE(result);
		EXPECT_TRUE(result->passed());
		EXPECT_EQ(std::max(result->most_in_row, result->most_in_column), known.most);
		EXPECT_NEAR(*result->h_rows, known.h_rows, 5.1e-7);
		EXPECT_NEAR(*result->h_columns, known.h_columns, 5.1e-7);
		EXPECT_EQ(result->min_entropy(), *result->h_columns);
	}
}

TEST(Restart, IidSamplesAreAssessedByTheirMostCommonValue)
{
	// Rows and columns hold the same samples. ea_non_iid prints this estimate for them.
	const auto result = run_tests(symbols_of(matrix()), 7.8, Track::iid);
	ASSERT_TRUE(result);
	EXPECT_TRUE(result->passed());
	EXPECT_EQ(result->track, Track::iid);
	EXPECT_NEAR(*result->h_rows, 7.8844602621120874, 1e-12);
	EXPECT_EQ(result->h_columns, result->h_rows);
}

TEST(Restart, AValueThatIsTooCommonInOneRowOrColumn)
{
	const uint32_t cutoff = most_common_cutoff(7.8);
	for (const size_t step : {size_t{1}, samples}) { // along a row, along a column
		auto raw = matrix();
		// A row or column with all values in turn, so that the count of one value is known.
		for (size_t i = 0; i < 1000; i++)
			raw[i * step] = static_cast<uint8_t>(i % 250);
		const auto set = [&](size_t times) {
			for (size_t i = 0; i < times; i++)
				raw[i * step] = 250;
		};
		// After the sanity check the matrix is assessed; stop that.
		std::stop_source stop;
		stop.request_stop();
		assess::Options options;
		options.stop = stop.get_token();
		set(cutoff);
		auto result = run_tests(symbols_of(raw), 7.8, Track::non_iid, options);
		ASSERT_FALSE(result);
		EXPECT_EQ(result.error().code, ExitCode::interrupted);
		set(cutoff + 1);
		result = run_tests(symbols_of(raw), 7.8, Track::non_iid, options);
		ASSERT_TRUE(result);
		EXPECT_FALSE(result->sane());
		EXPECT_EQ(step == 1 ? result->most_in_row : result->most_in_column, cutoff + 1);
		EXPECT_FALSE(result->h_rows);
		EXPECT_FALSE(result->passed());
		EXPECT_EQ(result->min_entropy(), 0);
	}
}

TEST(Restart, HalfOfTheInitialEstimateIsEnough)
{
	Assessment assessment;
	assessment.h_initial = 6;
	assessment.h_rows = 3;
	assessment.h_columns = 5;
	EXPECT_TRUE(assessment.passed());
	EXPECT_EQ(assessment.min_entropy(), 3);
	assessment.h_columns = 2.99;
	EXPECT_FALSE(assessment.passed());
	EXPECT_EQ(assessment.min_entropy(), 0);
	assessment.h_rows = assessment.h_columns = 7;
	EXPECT_EQ(assessment.min_entropy(), 6);
	assessment.most_in_row = 1;
	EXPECT_FALSE(assessment.passed());
}

TEST(Restart, WhatIsNoMatrixIsRefused)
{
	auto raw = matrix();
	EXPECT_FALSE(run_tests(symbols_of(raw), 8.01));
	EXPECT_FALSE(run_tests(symbols_of(raw), -0.1));
	EXPECT_FALSE(run_tests(symbols_of(raw), std::numeric_limits<double>::quiet_NaN()));
	raw.pop_back();
	EXPECT_FALSE(run_tests(symbols_of(raw), 7));
}

} // namespace
