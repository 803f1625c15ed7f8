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

/// Computes how many bytes bzip2 makes of samples that are written as decimal numbers with spaces
/// between them. The blocks have 500 kB, as in NIST's tool.
///
/// bzip2 sorts all rotations of a block. Here a block consists of words that each end with a space,
/// so only the rotations that begin with a word need sorting. A rotation that begins within a word
/// is ordered by its letters up to the space, and then like the rotation that begins after it.
class Bzip2Size {
public:
	/// `raw` maps a sample to the number to write.
	explicit Bzip2Size(const std::array<uint8_t, 256> &raw);

	/// The size for one or more samples. Far faster than bzip2 if the samples repeat no more than
	/// random ones.
	[[nodiscard]] uint64_t operator()(std::span<const uint8_t> samples);

	/// The same, computed by bzip2 itself.
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

	std::array<std::string, 256> words_; ///< the word of each sample, with its space
	std::vector<std::string> sorted_;    ///< the distinct words, sorted
	std::array<uint16_t, 256> ranks_{};  ///< the place of each sample's word in sorted_

	// Kept between calls, to avoid allocations.
	std::string text_;
	std::vector<uint16_t> ring_; ///< the words of a block, as places in sorted_
	std::vector<uint64_t> keys_;
	std::vector<Rotation> rotations_;
	std::vector<uint8_t> column_;
	Bzip2Block block_;
};

} // namespace hwrngd::iid
