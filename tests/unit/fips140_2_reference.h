// SPDX-License-Identifier: GPL-2.0-or-later
// The tests of FIPS 140-2 written as plainly as possible: bit by bit.
#pragma once

#include "health/fips140_2_count.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace hwrngd::test {

using Block = std::array<uint8_t, fips140_2::block_bytes>;
inline constexpr size_t block_bits = fips140_2::block_bytes * 8;

inline bool bit(const Block &block, size_t i)
{
	return (block[i / 8] >> (7 - i % 8) & 1) != 0;
}

inline void set_bit(Block &block, size_t i, bool value = true)
{
	const auto mask = static_cast<uint8_t>(1U << (7 - i % 8));
	block[i / 8] = static_cast<uint8_t>(value ? block[i / 8] | mask : block[i / 8] & ~mask);
}

/// The counts, in the terms of the standard.
struct Reference {
	uint32_t ones = 0;
	std::array<uint32_t, 16> nibbles{};
	std::array<std::array<uint32_t, 7>, 2> runs{}; ///< [value][length, 6 for 6 or more]
	size_t longest_run = 0;
	bool equal_words = false;

	explicit Reference(const Block &block)
	{
		size_t length = 0;
		for (size_t i = 0; i < block_bits; i++) {
			const bool value = bit(block, i);
			ones += value ? 1 : 0;
			length = i > 0 && value == bit(block, i - 1) ? length + 1 : 1;
			longest_run = std::max(longest_run, length);
			if (i + 1 == block_bits || bit(block, i + 1) != value)
				runs[value ? 1 : 0][std::min<size_t>(length, 6)]++;
		}
		for (const uint8_t byte : block) {
			nibbles[byte >> 4]++;
			nibbles[byte & 15]++;
		}
		for (size_t i = 4; i < block.size(); i += 4)
			equal_words |= std::memcmp(&block[i], &block[i - 4], 4) == 0;
	}

	/// The Failure bits, with rngtest's limits.
	[[nodiscard]] uint8_t failed() const
	{
		uint8_t failed = 0;
		double squares = 0;
		for (const uint32_t n : nibbles)
			squares += static_cast<double>(n) * n;
		if (ones <= 9725 || ones >= 10275)
			failed |= fips140_2::monobit;
		if (squares < 1563176 || squares > 1576928)
			failed |= fips140_2::poker;
		constexpr std::array<std::array<uint32_t, 2>, 7> limits{
		    {{0, 0}, {2315, 2685}, {1114, 1386}, {527, 723}, {240, 384}, {103, 209}, {103, 209}}};
		for (const auto &of_value : runs)
			for (size_t k = 1; k <= 6; k++)
				if (of_value[k] < limits[k][0] || of_value[k] > limits[k][1])
					failed |= fips140_2::runs;
		if (longest_run >= 26)
			failed |= fips140_2::long_run;
		if (equal_words)
			failed |= fips140_2::continuous;
		return failed;
	}

	/// The counts in the form that the variants use.
	[[nodiscard]] fips140_2::Counts counts() const
	{
		fips140_2::Counts counts{};
		for (unsigned mask = 1; mask < 16; mask++)
			for (unsigned value = 0; value < 16; value++)
				if (std::popcount(mask & value) % 2 == 1)
					counts.odd[mask] = static_cast<uint16_t>(counts.odd[mask] + nibbles[value]);
		for (size_t value = 0; value < 2; value++) {
			uint32_t at_least = 0;
			for (size_t k = 6; k > 0; k--) {
				at_least += runs[value][k];
				counts.runs[value][k - 1] = static_cast<uint16_t>(at_least);
			}
		}
		counts.long_run = longest_run >= 26;
		counts.equal_words = equal_words;
		return counts;
	}
};

} // namespace hwrngd::test
