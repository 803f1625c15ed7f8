// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/bzip2_size.h"

#include "assess/xoshiro256.h"
#include "samples.h"

#include <algorithm>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::iid;
using namespace hwrngd::test;

namespace {

/// The identity for the values that occur, and 0 for the others.
std::array<uint8_t, 256> raw_of(std::span<const uint8_t> samples)
{
	std::array<uint8_t, 256> raw{};
	for (const uint8_t sample : samples)
		raw[sample] = sample;
	return raw;
}

void expect_same_as_bzip2(std::span<const uint8_t> samples)
{
	Bzip2Size size(raw_of(samples));
	EXPECT_EQ(size(samples), size.by_bzip2(samples)) << samples.size() << " samples";
}

std::vector<uint8_t> random_samples(Xoshiro256 &random, size_t count, unsigned modulus)
{
	std::vector<uint8_t> samples(count);
	for (auto &sample : samples)
		sample = static_cast<uint8_t>(random() % modulus);
	return samples;
}

TEST(Bzip2Size, OfFewSamplesOfAnyAlphabet)
{
	// So few samples that there are two to six codes, with all counts at which the number changes.
	Xoshiro256 random(1);
	for (size_t count = 1; count < 900; count++)
		for (const unsigned modulus : {11U, 200U, 256U})
			expect_same_as_bzip2(random_samples(random, count, modulus));
}

TEST(Bzip2Size, BlocksEndWhereThoseOfBzip2End)
{
	// A block has 499,981 bytes. n numbers of one digit make 2 n - 1 bytes; with one of two digits
	// they make 2 n. So the second block has 0, 1, 2 ... bytes.
	Xoshiro256 random(1);
	auto samples = random_samples(random, 249'994, 10);
	for (const uint8_t first : {uint8_t{7}, uint8_t{77}}) {
		samples.front() = first;
		for (size_t count = 249'990; count < samples.size(); count++)
			expect_same_as_bzip2(std::span(samples).first(count));
	}
	// Runs of two and three equal digits at the border of the block.
	for (const uint8_t last : std::array<uint8_t, 3>{11, 111, 211})
		for (size_t end = 249'988; end <= 249'990; end++) {
			auto runs = samples;
			runs[end] = last;
			expect_same_as_bzip2(runs);
		}
}

TEST(Bzip2Size, OfSeveralBlocks)
{
	for (const char *input : {"ctr1", "and8"}) {
		auto samples = samples_of(input);
		samples.resize(300'000);
		expect_same_as_bzip2(samples);
	}
}

TEST(Bzip2Size, OfSamplesThatRepeat)
{
	std::vector<uint8_t> samples(5000);
	for (const size_t period : std::vector<size_t>{1, 2, 3, 7, 100, 256, 4999}) {
		for (size_t i = 0; i < samples.size(); i++)
			samples[i] = static_cast<uint8_t>(i % period);
		expect_same_as_bzip2(samples);
		// One sample differs, so that rotations differ, but only after many samples.
		samples[2500] = 201;
		expect_same_as_bzip2(samples);
	}
}

TEST(Bzip2Size, OfRandomSamplesWithOneLongRepeat)
{
	Xoshiro256 random(1);
	for (const size_t length : std::array<size_t, 8>{5, 50, 80, 81, 82, 83, 84, 300}) {
		auto samples = random_samples(random, 5000, 256);
		std::copy_n(samples.begin() + 100, length, samples.begin() + 3000);
		expect_same_as_bzip2(samples);
	}
}

TEST(Bzip2Size, OfTwoValuesThatAreNotZeroAndOne)
{
	auto samples = samples_of("ctr1");
	samples.resize(20'000);
	std::array<uint8_t, 256> raw{};
	raw[0] = 9;
	raw[1] = 100;
	Bzip2Size size(raw);
	const auto found = size(samples);
	EXPECT_EQ(found, size.by_bzip2(samples));
	for (auto &sample : samples)
		sample = raw[sample];
	EXPECT_EQ(Bzip2Size(raw_of(samples)).by_bzip2(samples), found);
}

} // namespace
