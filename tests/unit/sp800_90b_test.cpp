// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/sp800_90b.h"

#include "aes_ctr.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <openssl/bn.h>

using namespace hwrngd;
using namespace hwrngd::sp800_90b;
using namespace hwrngd::test;

namespace {

/// Computes the cutoff of 4.4.2 in whole numbers, for a claim of whole bits. It is the least C with
///	sum over k >= C of binomial(W, k) (2^H - 1)^(W - k)  <=  2^(H W - a)
uint32_t exact_proportion_cutoff(unsigned h, unsigned alpha_log2, uint32_t samples)
{
	const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context(BN_CTX_new(), BN_CTX_free);
	const auto number = [](BN_ULONG value) {
		std::unique_ptr<BIGNUM, decltype(&BN_free)> result(BN_new(), BN_free);
		BN_set_word(result.get(), value);
		return result;
	};
	const auto bound = number(0);
	BN_set_bit(bound.get(), static_cast<int>(h * samples - alpha_log2));
	const auto tail = number(0);
	const auto term = number(1); // the term for k = W
	for (uint32_t k = samples;; k--) {
		BN_add(tail.get(), tail.get(), term.get());
		if (BN_cmp(tail.get(), bound.get()) > 0)
			return k + 1;
		// Next term: binomial(W, k - 1) = binomial(W, k) k / (W - k + 1), without a remainder.
		BN_mul_word(term.get(), k);
		BN_div_word(term.get(), samples - k + 1);
		BN_mul_word(term.get(), static_cast<BN_ULONG>((1U << h) - 1));
	}
}

/// The same for any claim, from the lower end: computes P(X <= k) by a recurrence in long double.
uint32_t recurrent_proportion_cutoff(const Claim &claim, uint32_t samples)
{
	const long double alpha = std::exp2(-static_cast<long double>(claim.alpha_log2));
	const long double p = std::exp2(-static_cast<long double>(claim.min_entropy));
	long double term = std::pow(1 - p, static_cast<long double>(samples));
	long double rest = 1 - term; // P(X > k)
	uint32_t k = 0;
	for (; rest > alpha && k < samples; k++) {
		term *=
		    static_cast<long double>(samples - k) / static_cast<long double>(k + 1) * p / (1 - p);
		rest -= term;
	}
	return k + 1;
}

TEST(Sp80090b, TheKernelsClaimGivesTheKernelsCutoffs)
{
	// kmod/health.h: H = 4, alpha = 2^-30.
	EXPECT_EQ(repetition_cutoff({.min_entropy = 4, .alpha_log2 = 30}), 9U);
	EXPECT_EQ(proportion_cutoff({.min_entropy = 4, .alpha_log2 = 30}), 71U);
}

TEST(Sp80090b, RepetitionCutoffs)
{
	// The standard's example in 4.4.1, with alpha = 2^-20: C = 1 + ceil(20 / 2.0) = 11.
	EXPECT_EQ(repetition_cutoff({.min_entropy = 2, .alpha_log2 = 20}), 11U);
	EXPECT_EQ(repetition_cutoff({.min_entropy = 8, .alpha_log2 = 20}), 4U);
	EXPECT_EQ(repetition_cutoff({.min_entropy = 5, .alpha_log2 = 20}), 5U);
	EXPECT_EQ(repetition_cutoff({.min_entropy = 5.01, .alpha_log2 = 20}), 5U);
	EXPECT_EQ(repetition_cutoff({.min_entropy = 4.99, .alpha_log2 = 20}), 6U);
	EXPECT_EQ(repetition_cutoff({.min_entropy = 0.5, .alpha_log2 = 40}), 81U);
	EXPECT_EQ(repetition_cutoff({.min_entropy = 1e-300, .alpha_log2 = 40}), UINT32_MAX);
}

TEST(Sp80090b, ProportionCutoffsAreTheExactBinomialSums)
{
	// All claims of 1 to 16 whole bits, for both windows.
	for (const unsigned alpha_log2 : {1U, 20U, 30U, 40U, 64U})
		for (const uint32_t samples : {window, binary_window})
			for (unsigned h = 1; h <= 16; h++)
				EXPECT_EQ(
				    proportion_cutoff(
				        {.min_entropy = static_cast<double>(h), .alpha_log2 = alpha_log2}, samples),
				    exact_proportion_cutoff(h, alpha_log2, samples))
				    << "H " << h << ", alpha 2^-" << alpha_log2 << ", W " << samples;
}

TEST(Sp80090b, ProportionCutoffsOfFractionsOfABit)
{
	for (const unsigned alpha_log2 : {20U, 30U, 40U})
		for (const uint32_t samples : {window, binary_window})
			for (int tenths = 1; tenths <= 80; tenths++) {
				const Claim claim{.min_entropy = tenths / 10.0, .alpha_log2 = alpha_log2};
				EXPECT_EQ(proportion_cutoff(claim, samples),
				          recurrent_proportion_cutoff(claim, samples))
				    << "H " << claim.min_entropy << ", alpha 2^-" << alpha_log2 << ", W "
				    << samples;
			}
}

TEST(Sp80090b, ProportionOfAClaimNextToNothingCannotFail)
{
	EXPECT_EQ(proportion_cutoff({.min_entropy = 0.01, .alpha_log2 = 20}), window + 1);
	EXPECT_EQ(proportion_cutoff({.min_entropy = 1e-12, .alpha_log2 = 20}), window + 1);
}

TEST(Sp80090b, RepetitionFailsAtItsCutoffAndNotBefore)
{
	RepetitionCount test(9);
	for (int i = 0; i < 8; i++)
		EXPECT_TRUE(test.test(0));
	EXPECT_TRUE(test.test(uint64_t{1} << 40U)); // a wide sample with another value
	for (int i = 0; i < 8; i++)
		EXPECT_TRUE(test.test(0)) << i;
	EXPECT_FALSE(test.test(0));
}

TEST(Sp80090b, ProportionFailsAtItsCutoffAndNotBefore)
{
	for (const uint32_t samples : {window, binary_window}) {
		constexpr uint32_t cutoff = 71;
		AdaptiveProportion test(cutoff, samples);
		// In these windows the first value occurs cutoff - 1 times, the last time as the last
		// sample.
		for (int windows = 0; windows < 3; windows++)
			for (uint32_t i = 0; i < samples; i++)
				EXPECT_TRUE(test.test(i < cutoff - 2 || i == samples - 1 ? 7 : 1));
		// Then a window with one occurrence more, at its end. If the window began elsewhere, it
		// would pass.
		for (uint32_t i = 0; i < samples - 1; i++)
			EXPECT_TRUE(test.test(i < cutoff - 1 ? 7 : 1));
		EXPECT_FALSE(test.test(7));
	}
}

HealthTests tests_of_claim(double min_entropy)
{
	return HealthTests::create({.min_entropy = min_entropy, .alpha_log2 = 30}).value();
}

TEST(Sp80090b, TheStartUpTestTakesItsSamples)
{
	auto tests = tests_of_claim(8);
	AesCtr stream;
	std::vector<uint8_t> bytes(1000);
	stream.fill(bytes);
	EXPECT_FALSE(tests.test(bytes));
	EXPECT_EQ(tests.startup(), 24U);
	stream.fill(bytes);
	EXPECT_FALSE(tests.test(bytes)); // the start-up test ends within them and consumes them all
	EXPECT_EQ(tests.startup(), 0U);
	EXPECT_FALSE(tests.failed());
	for (int i = 0; i < 1000; i++) {
		stream.fill(bytes);
		ASSERT_TRUE(tests.test(bytes));
	}
}

TEST(Sp80090b, AFailureStaysUntilRestart)
{
	auto tests = tests_of_claim(4);
	AesCtr stream;
	std::vector<uint8_t> good(startup_samples);
	stream.fill(good);
	EXPECT_FALSE(tests.test(good));
	EXPECT_TRUE(tests.test(good));
	// Eight zeros and then another value are one below the cutoff. Nine zeros, over two calls, are
	// at the cutoff.
	std::vector<uint8_t> bytes(9, 0);
	bytes[8] = 1;
	EXPECT_TRUE(tests.test(bytes));
	EXPECT_TRUE(tests.test(std::span(bytes).first(8)));
	EXPECT_FALSE(tests.test(std::span(bytes).first(1)));
	EXPECT_EQ(tests.failed(), Failure::repetition_count);
	EXPECT_STREQ(name(*tests.failed()), "repetition count");
	EXPECT_FALSE(tests.test(good));
	EXPECT_EQ(tests.failed(), Failure::repetition_count);

	tests.restart();
	EXPECT_FALSE(tests.failed());
	EXPECT_FALSE(tests.test(good));
	EXPECT_TRUE(tests.test(good));
}

TEST(Sp80090b, AFailureInTheStartUpTestIsAFailure)
{
	auto tests = tests_of_claim(4);
	// One value occurs 71 times among others, never twice in a row.
	std::vector<uint8_t> bytes(2 * 71 - 1);
	for (size_t i = 0; i < bytes.size(); i++)
		bytes[i] = static_cast<uint8_t>(i % 2 == 0 ? 255 : i);
	EXPECT_FALSE(tests.test(std::span(bytes).first(bytes.size() - 1)));
	EXPECT_FALSE(tests.failed());
	EXPECT_FALSE(tests.test(std::span(bytes).last(1)));
	EXPECT_EQ(tests.failed(), Failure::adaptive_proportion);
	EXPECT_STREQ(name(*tests.failed()), "adaptive proportion");
}

TEST(Sp80090b, ImpossibleClaimsAreRefused)
{
	for (const double h : {0.0, -1.0, 8.1, std::numeric_limits<double>::quiet_NaN()})
		EXPECT_FALSE(HealthTests::create({.min_entropy = h}));
	EXPECT_FALSE(HealthTests::create({.min_entropy = 4, .alpha_log2 = 0}));
	EXPECT_FALSE(HealthTests::create({.min_entropy = 4, .alpha_log2 = 65}));
	EXPECT_TRUE(HealthTests::create({.min_entropy = 8, .alpha_log2 = 64}));
}

} // namespace
