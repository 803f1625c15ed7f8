// SPDX-License-Identifier: GPL-2.0-or-later
// What samples look like: figures for the eye, gathered in one pass and in bounded memory.
#pragma once

#include "health/fips140_2.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hwrngd {

struct Profile {
	static constexpr size_t lags = 64;
	static constexpr size_t pictured = 4096; ///< samples
	static constexpr size_t run_lengths = 20;
	static constexpr size_t most_periods = 128;

	unsigned bits = 8; ///< per sample
	uint64_t samples = 0;
	std::array<uint64_t, 256> histogram{};
	std::vector<uint8_t> first; ///< samples, `pictured` of them at most
	/// By lag, 1 being the first: from -1 to 1. Constant samples have 1.
	std::array<double, lags> autocorrelation{};
	/// Runs of equal bits, most significant bit first, by length from 1; the last are that long or
	/// longer.
	std::array<uint64_t, run_lengths> runs{};

	/// FIPS 140-2 blocks of the bits.
	fips140_2::Statistics fips;
	/// How many of each `blocks_a_period` blocks failed, in order; the last period may be shorter.
	std::vector<uint32_t> failures;
	uint64_t blocks_a_period = 1;
};

/// Gathers a Profile.
class Profiler {
public:
	/// `bits` per sample, 1 to 8.
	explicit Profiler(unsigned bits) { profile_.bits = bits; }

	void add(std::span<const uint8_t> samples);
	/// Of all samples so far.
	[[nodiscard]] Profile profile() const;

private:
	void add_bits(uint8_t sample);
	void add_block();

	Profile profile_;
	std::array<uint64_t, Profile::lags> products_{}; // of neighbours, by lag
	std::vector<uint8_t> recent_;                    // the last samples, `lags` at most
	uint64_t squares_ = 0;

	unsigned run_bit_ = 0;
	uint64_t run_ = 0;
	uint8_t byte_ = 0;
	unsigned byte_bits_ = 0;
	std::vector<uint8_t> block_; // bytes of the bootstrap word, then of each block
	std::optional<fips140_2::Tester> tester_;
};

/// How long reads took: counts by powers of two.
struct Latency {
	/// [i]: from 2^i microseconds to below twice that; the first and the last are open.
	std::array<uint64_t, 26> counts{};
	uint64_t reads = 0;
	std::chrono::microseconds longest{0};

	void add(std::chrono::microseconds taken);
};

} // namespace hwrngd
