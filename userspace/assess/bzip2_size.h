// SPDX-License-Identifier: GPL-2.0-or-later
// The compression statistic of NIST SP 800-90B, section 5.1.11.
#pragma once

#include "assess/bzip2_block.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd::iid {

/// Computes the bytes that bzip2, with blocks of 500 kB as in NIST's tool, makes of samples that
/// are written as decimal numbers with a space between two.
///
/// bzip2 sorts all rotations of a block. Here they are words that each end with a space, so it is
/// enough to sort the rotations that begin with a word: a rotation that begins within one is
/// ordered by the letters up to the space, and then as the rotation that follows.
class Bzip2Size {
public:
	/// `raw`: the number to write, by sample.
	explicit Bzip2Size(const std::array<uint8_t, 256> &raw);

	/// The size for one sample or more, in a fraction of bzip2's time where samples repeat as
	/// little as random ones do.
	[[nodiscard]] uint64_t operator()(std::span<const uint8_t> samples);

	/// The same by bzip2 itself.
	[[nodiscard]] uint64_t by_bzip2(std::span<const uint8_t> samples);

private:
	struct Rotation {
		uint64_t key; ///< its first words
		uint32_t word;
	};

	void write(std::span<const uint8_t> samples);
	[[nodiscard]] std::optional<uint64_t> bits_of_ring(const std::string &joint);
	[[nodiscard]] bool sort_rotations(unsigned code_bits);
	[[nodiscard]] bool sort_equal(std::span<Rotation> rotations, size_t words_a_key);
	unsigned fill_column(const std::vector<std::string> &words);

	std::array<std::string, 256> words_; ///< with its space, by sample
	std::vector<std::string> sorted_;    ///< the different ones
	std::array<uint16_t, 256> ranks_{};  ///< place in sorted_, by sample

	// Kept from one call to the next, so that nothing is allocated.
	std::string text_;
	std::vector<uint16_t> ring_; ///< the words of a block, by their order
	std::vector<uint64_t> keys_;
	std::vector<Rotation> rotations_;
	std::vector<uint8_t> column_;
	Bzip2Block block_;
};

} // namespace hwrngd::iid
