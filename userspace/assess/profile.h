// SPDX-License-Identifier: GPL-2.0-or-later
// Figures that show what samples look like, gathered in one pass and in bounded memory.
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
	static constexpr size_t pictured = 4096; ///< limit of `first`
	static constexpr size_t run_lengths = 20;
	static constexpr size_t most_periods = 128;

	unsigned bits = 8; ///< per sample
	uint64_t samples = 0;
	std::array<uint64_t, 256> histogram{};
	std::vector<uint8_t> first; ///< the first samples, up to `pictured`
	/// Autocorrelation (-1 to 1) for lags from 1 on. It is 1 for constant samples.
	std::array<double, lags> autocorrelation{};
	/// Numbers of runs of equal bits (most significant bit first), by length from 1. The last
	/// number includes longer runs.
	std::array<uint64_t, run_lengths> runs{};

	/// FIPS 140-2 results of the bits.
	fips140_2::Statistics fips;
	/// The number of failed blocks in each period of `blocks_a_period` blocks, in order. The last
	/// period may be shorter.
	std::vector<uint32_t> failures;
	uint64_t blocks_a_period = 1;
};

/// Gathers a Profile.
class Profiler {
public:
	/// `bits` is the width of a sample, 1 to 8.
	explicit Profiler(unsigned bits) { profile_.bits = bits; }

	void add(std::span<const uint8_t> samples);
	/// The profile of all samples so far.
	[[nodiscard]] Profile profile() const;

private:
	void add_bits(uint8_t sample);
	void add_block();

	Profile profile_;
	std::array<uint64_t, Profile::lags> products_{}; // sums of products of two samples, by lag
	std::vector<uint8_t> recent_;                    // the last samples, up to `lags`
	uint64_t squares_ = 0;

	unsigned run_bit_ = 0;
	uint64_t run_ = 0;
	uint8_t byte_ = 0;
	unsigned byte_bits_ = 0;
	std::vector<uint8_t> block_; // bytes of the bootstrap word, then of the current block
	std::optional<fips140_2::Tester> tester_;
};

/// A histogram of how long reads took, by powers of two.
struct Latency {
	/// [i]: reads that took 2^i to below 2^(i+1) microseconds. The first includes shorter ones, the
	/// last longer ones.
	std::array<uint64_t, 26> counts{};
	uint64_t reads = 0;
	std::chrono::microseconds longest{0};

	void add(std::chrono::microseconds taken);
};

} // namespace hwrngd
