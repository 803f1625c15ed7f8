// SPDX-License-Identifier: GPL-2.0-or-later
// A packed string of bits. An assessment spends its time on millions of bits, so they are processed
// 64 at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hwrngd::assess {

class Bits {
public:
	static constexpr size_t window_bits = 64;

	/// Packs the low `width` (1 to 8) bits of each symbol, most significant bit first. The other
	/// bits of the symbols must be zero.
	Bits(std::span<const uint8_t> symbols, unsigned width)
	    : words_((symbols.size() * width / window_bits) + 2), size_(symbols.size() * width)
	{
		size_t at = 0;
		for (const uint8_t symbol : symbols) {
			const uint64_t bits = std::rotr(uint64_t{symbol}, static_cast<int>(width));
			const size_t used = at % window_bits;
			words_[at / window_bits] |= bits >> used;
			if (used + width > window_bits)
				words_[at / window_bits + 1] |= bits << 1U << (63 - used);
			at += width;
		}
	}

	[[nodiscard]] size_t size() const { return size_; }

	[[nodiscard]] unsigned operator[](size_t at) const
	{
		return static_cast<unsigned>(words_[at / window_bits] >> (63 - at % window_bits)) & 1U;
	}

	/// The 64 bits from `at` < size() on, with the first as the most significant bit. Bits after
	/// the end are zero.
	[[nodiscard]] uint64_t window(size_t at) const
	{
		const size_t used = at % window_bits;
		const uint64_t *word = &words_[at / window_bits];
		// Two shifts, since one by 64 is not defined.
		return word[0] << used | word[1] >> 1U >> (63 - used);
	}

	/// Like window(), for the 64 bits before `end` <= size(). Bits before the start are zero.
	[[nodiscard]] uint64_t window_before(size_t end) const
	{
		if (end >= window_bits)
			return window(end - window_bits);
		return end == 0 ? 0 : words_[0] >> (window_bits - end);
	}

	/// Loads the bits from `at` on into the cache.
	void prefetch(size_t at) const { __builtin_prefetch(&words_[at / window_bits]); }

private:
	std::vector<uint64_t>
	    words_; // one word more than the bits need, so that window() needs no check
	size_t size_;
};

/// A mask of the first `count` (0 to 64) bits of a window.
[[nodiscard]] constexpr uint64_t first_bits(size_t count)
{
	return count == 0 ? 0 : ~uint64_t{0} << (Bits::window_bits - count);
}

} // namespace hwrngd::assess
