// SPDX-License-Identifier: GPL-2.0-or-later
// What the tests of FIPS 140-2 count in a block, in variants for the vectors that a CPU may have.
#pragma once

#include "health/fips140_2.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hwrngd::fips140_2 {

inline constexpr size_t run_classes = 6; ///< runs of six or more bits are counted together

struct Counts {
	/// [mask]: nibbles with an odd number of ones among those of their bits that are in `mask`.
	std::array<uint16_t, 16> odd;
	/// [value][k - 1]: runs of k or more bits of that value.
	std::array<std::array<uint16_t, run_classes>, 2> runs;
	bool long_run;    ///< a run of 26 bits or more
	bool equal_words; ///< two equal 32-bit words, one after the other
};

/// Counts in a block with the best variant for this CPU.
[[nodiscard]] Counts count(std::span<const uint8_t, block_bytes> block);

/// The Failure bits of a block with these counts.
[[nodiscard]] uint8_t judge(const Counts &counts);

struct CountVariant {
	const char *name; ///< of the Highway target, as in "AVX2"
	void (*count)(const uint8_t *block, Counts &counts);
};

/// All variants that run on this CPU, the best one first.
[[nodiscard]] std::vector<CountVariant> count_variants();

} // namespace hwrngd::fips140_2
