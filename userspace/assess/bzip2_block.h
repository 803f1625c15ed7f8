// SPDX-License-Identifier: GPL-2.0-or-later
// The second half of what bzip2 does with a block, as far as it decides the size: move to front,
// runs of zeros, and the choice of up to six Huffman codes (bzip2 1.0.3 to 1.0.8). It only counts
// bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hwrngd::iid {

class Bzip2Block {
public:
	static constexpr unsigned most_letters = 12;

	/// The size of a block in bits, without the map of the bytes that it uses. `column` holds the
	/// byte before each sorted rotation of the block, as a number among the `letters` bytes in use.
	[[nodiscard]] uint64_t bits(std::span<const uint8_t> column, unsigned letters);

private:
	// Room for two symbols for runs, one for each letter except the first, and one for the end, in
	// whole vectors of eight.
	static constexpr size_t symbols = 16;
	static constexpr size_t tables = 8; // at most six are used
	using Frequencies = std::array<uint16_t, symbols>;
	using Lengths = std::array<std::array<uint16_t, tables>, symbols>;

	void move_to_front(std::span<const uint8_t> column, unsigned letters);
	void put(unsigned symbol);
	void put_zeros(uint64_t run);
	[[nodiscard]] Lengths first_lengths(unsigned used, unsigned alphabet) const;
	void select(const Lengths &lengths, unsigned used);
	[[nodiscard]] Lengths better_lengths(unsigned used, unsigned alphabet) const;
	[[nodiscard]] uint64_t bits_of_selectors(unsigned used) const;

	std::vector<Frequencies> groups_; // how often each symbol occurs in each group of 50
	size_t fill_ = 0;                 // number of symbols in the last group
	std::vector<uint8_t> selectors_;  // the table of each group
};

} // namespace hwrngd::iid
