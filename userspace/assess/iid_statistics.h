// SPDX-License-Identifier: GPL-2.0-or-later
// The statistics of the permutation tests of NIST SP 800-90B, section 5.1. They depend on the order
// of the samples.
#pragma once

#include "assess/assess.h"
#include "assess/bzip2_size.h"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hwrngd::iid {

/// Sections 5.1.1 to 5.1.11, in the order of NIST's ea_iid.
enum Statistic : uint8_t {
	excursion,
	directional_runs,
	longest_directional_run,
	increases_decreases,
	median_runs,
	longest_median_run,
	average_collision,
	longest_collision,
	periodicity_1,
	periodicity_2,
	periodicity_8,
	periodicity_16,
	periodicity_32,
	covariance_1,
	covariance_2,
	covariance_8,
	covariance_16,
	covariance_32,
	compression,
};
inline constexpr size_t statistics = compression + 1;
inline constexpr std::array<size_t, 5> lags{1, 2, 8, 16, 32}; ///< for periodicity and covariance

/// The name of a statistic in the output of ea_iid.
[[nodiscard]] const char *name(Statistic statistic);

using Values = std::array<double, statistics>;
using Wanted = std::bitset<statistics>;

/// The samples whose order is tested: as read, but 0 and 1 for a binary source.
[[nodiscard]] inline std::span<const uint8_t> sequence(const assess::Symbols &symbols)
{
	return symbols.alphabet == 2 ? symbols.values : symbols.raw;
}

/// Computes the statistics of a sequence and of its permutations, which all have the same mean,
/// median and alphabet. Each thread needs its own object.
class Statistics {
public:
	/// Conversion II makes one byte of eight samples, and only 257 bytes surely have a collision.
	static constexpr size_t least_samples = size_t{257} * 8;

	/// `symbols` must have at least two values and `least_samples` samples.
	explicit Statistics(const assess::Symbols &symbols);

	/// Sets the wanted `values`. `samples` must be a permutation of sequence(symbols).
	void compute(std::span<const uint8_t> samples, const Wanted &wanted, Values &values);

private:
	void directional(std::span<const uint8_t> samples, const Wanted &wanted, Values &values);
	void median(std::span<const uint8_t> samples, const Wanted &wanted, Values &values);
	[[nodiscard]] double excursion_of(std::span<const uint8_t> samples) const;

	bool binary_;
	std::array<uint8_t, 256> raw_; ///< the sample as read, for each sample of sequence()
	uint64_t sum_ = 0;             ///< sum of all samples as read
	uint8_t upper_half_ = 0;       ///< the least sample that is not below the median

	// Kept between calls, to avoid allocations.
	Bzip2Size compressed_size_;
	std::vector<uint8_t> converted_;
	std::vector<uint8_t> flags_;
	std::vector<uint64_t> bits_;
};

} // namespace hwrngd::iid
