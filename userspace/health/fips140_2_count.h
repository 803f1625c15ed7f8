// SPDX-License-Identifier: GPL-2.0-or-later
// Counts what the tests of FIPS 140-2 need to know of a block, in variants for the vector
// instructions of different CPUs.
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
	/// [mask]: the number of nibbles that have an odd number of ones in the bits of `mask`.
	std::array<uint16_t, 16> odd;
	/// [value][k - 1]: the number of runs of at least k bits of that value.
	std::array<std::array<uint16_t, run_classes>, 2> runs;
	bool long_run;    ///< there is a run of at least 26 bits
	bool equal_words; ///< two consecutive 32-bit words are equal
};

/// Counts in a block, with the best variant for this CPU.
[[nodiscard]] Counts count(std::span<const uint8_t, block_bytes> block);

/// The Failure bits of a block with these counts.
[[nodiscard]] uint8_t judge(const Counts &counts);

struct CountVariant {
	const char *name; ///< of the Highway target, such as "AVX2"
	void (*count)(const uint8_t *block, Counts &counts);
};

/// All variants that run on this CPU, best first.
[[nodiscard]] std::vector<CountVariant> count_variants();

} // namespace hwrngd::fips140_2
