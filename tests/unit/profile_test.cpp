// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/profile.h"

#include "assess/xoshiro256.h"
#include "samples.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

Profile profile_of(const std::vector<uint8_t> &samples, unsigned bits, size_t piece = SIZE_MAX)
{
	Profiler profiler(bits);
	for (size_t i = 0; i < samples.size(); i += std::min(piece, samples.size() - i))
		profiler.add(std::span(samples).subspan(i, std::min(piece, samples.size() - i)));
	return profiler.profile();
}

TEST(Profile, PiecesOfAnySizeGiveTheSame)
{
	auto samples = samples_of("walk8");
	samples.resize(20'003);
	const auto whole = profile_of(samples, 8);
	EXPECT_EQ(whole.samples, 20'003U);
	EXPECT_EQ(whole.first,
	          std::vector<uint8_t>(samples.begin(), samples.begin() + Profile::pictured));
	EXPECT_EQ(std::accumulate(whole.histogram.begin(), whole.histogram.end(), uint64_t{0}),
	          20'003U);
	EXPECT_EQ(whole.fips.blocks, 7U); // 2500 bytes each, after the first four bytes
	for (const size_t piece : std::vector<size_t>{1, 7, 63, 64, 65, 5000}) {
		const auto pieces = profile_of(samples, 8, piece);
		EXPECT_EQ(pieces.first, whole.first);
		EXPECT_EQ(pieces.histogram, whole.histogram);
		EXPECT_EQ(pieces.autocorrelation, whole.autocorrelation);
		EXPECT_EQ(pieces.runs, whole.runs);
		EXPECT_EQ(pieces.failures, whole.failures);
	}
}

TEST(Profile, AutocorrelationByItsDefinition)
{
	auto samples = samples_of("walk8");
	samples.resize(3000);
	const auto profile = profile_of(samples, 8, 100);
	double mean = 0;
	for (const auto sample : samples)
		mean += sample / 3000.0;
	double variance = 0;
	for (const auto sample : samples)
		variance += (sample - mean) * (sample - mean);
	for (size_t lag = 1; lag <= Profile::lags; lag++) {
		double covariance = 0;
		for (size_t i = lag; i < samples.size(); i++)
			covariance += (samples[i] - mean) * (samples[i - lag] - mean);
		EXPECT_NEAR(profile.autocorrelation[lag - 1], covariance / variance, 1e-9);
	}
}

TEST(Profile, ConstantSamplesRepeatPerfectly)
{
	const auto profile = profile_of(std::vector<uint8_t>(100, 7), 8);
	for (const double value : profile.autocorrelation)
		EXPECT_EQ(value, 1);
}

TEST(Profile, FewSamplesOrNone)
{
	EXPECT_EQ(profile_of({}, 8).autocorrelation[0], 0);
	const auto profile = profile_of({1, 2}, 8);
	EXPECT_FALSE(std::isnan(profile.autocorrelation[0]));
	EXPECT_EQ(profile.autocorrelation[1], 0);
}

TEST(Profile, RunsOfBitsMostSignificantFirst)
{
	// 0011 1001 has runs of two, three, two and one. For the nibbles 3 and 9, the upper four bits
	// do not count.
	for (const auto &profile : {profile_of({0x39}, 8), profile_of({0x03, 0x09}, 4)}) {
		EXPECT_EQ(profile.runs[0], 1U);
		EXPECT_EQ(profile.runs[1], 2U);
		EXPECT_EQ(profile.runs[2], 1U);
	}
	// Runs of 19 and 21 bits: the last class also counts runs that are longer than it says.
	const auto profile = profile_of({0xff, 0xff, 0xe0, 0x00, 0x00}, 8);
	EXPECT_EQ(profile.runs[Profile::run_lengths - 2], 1U);
	EXPECT_EQ(profile.runs[Profile::run_lengths - 1], 1U);
}

TEST(Profile, BlocksOfBitsWhateverTheWidth)
{
	// The bits of ctr8 give the same blocks as bytes and as single bits.
	auto bytes = samples_of("ctr8");
	bytes.resize(4 + 30 * 2500);
	bytes[4 + 7 * 2500] = bytes[4 + 7 * 2500 + 1] = bytes[4 + 7 * 2500 + 2] =
	    bytes[4 + 7 * 2500 + 3] = 0; // a long run in block 7
	std::vector<uint8_t> bits;
	for (const uint8_t byte : bytes)
		for (unsigned i = 8; i-- > 0;)
			bits.push_back(byte >> i & 1U);
	for (const auto &profile : {profile_of(bytes, 8), profile_of(bits, 1)}) {
		ASSERT_EQ(profile.failures.size(), 30U);
		EXPECT_EQ(profile.fips.failures, 1U);
		EXPECT_EQ(profile.failures[7], 1U);
		EXPECT_EQ(profile.blocks_a_period, 1U);
	}
}

TEST(Profile, PeriodsGrowAndLoseNoBlock)
{
	// All blocks but the first are zeros, and fail.
	for (const size_t blocks : std::vector<size_t>{128, 129, 256, 257, 300, 1000}) {
		std::vector<uint8_t> bytes(4 + blocks * 2500);
		AesCtr().fill(std::span(bytes).first(4 + 2500));
		const auto profile = profile_of(bytes, 8);
		EXPECT_LE(profile.failures.size(), Profile::most_periods);
		EXPECT_EQ(profile.failures.size(),
		          (blocks + profile.blocks_a_period - 1) / profile.blocks_a_period);
		EXPECT_EQ(profile.failures[0], profile.blocks_a_period - 1);
		for (size_t i = 1; i + 1 < profile.failures.size(); i++)
			EXPECT_EQ(profile.failures[i], profile.blocks_a_period);
		EXPECT_EQ(std::accumulate(profile.failures.begin(), profile.failures.end(), uint64_t{0}),
		          blocks - 1);
	}
}

TEST(Latency, ByPowersOfTwo)
{
	using std::chrono::microseconds;
	Latency latency;
	for (const int taken : {0, 1, 2, 3, 4, 1023, 1024})
		latency.add(microseconds(taken));
	latency.add(std::chrono::hours(1));
	EXPECT_EQ(latency.reads, 8U);
	EXPECT_EQ(latency.counts[0], 2U);
	EXPECT_EQ(latency.counts[1], 2U);
	EXPECT_EQ(latency.counts[2], 1U);
	EXPECT_EQ(latency.counts[9], 1U);
	EXPECT_EQ(latency.counts[10], 1U);
	EXPECT_EQ(latency.counts.back(), 1U);
	EXPECT_EQ(latency.longest, std::chrono::hours(1));
}

} // namespace
