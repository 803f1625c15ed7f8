// SPDX-License-Identifier: GPL-2.0-or-later
// What repeats in a text: how often, and how long.
#pragma once

#include "assess/bits.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace hwrngd::assess {

/// A text whose symbols take `width` bits each of `bits`.
struct Text {
	const Bits &bits;
	unsigned width;

	[[nodiscard]] size_t size() const { return bits.size() / width; }
};

/// By the length of a tuple, from 1 to the longest that occurs twice. Tuples overlap.
struct Repeats {
	std::vector<uint32_t> most{0};  ///< how often the most frequent tuple occurs; [0] is not used
	std::vector<uint64_t> pairs{0}; ///< how many pairs of places hold the same tuple

	[[nodiscard]] size_t longest() const { return most.size() - 1; }
};

/// True when the work is to end; empty: never.
using Stopped = std::function<bool()>;

/// Counts all repeats in O(n log n), however long they are: in 4 bytes a symbol where repeats are
/// as short as in random data, in 9 otherwise. The text may have up to 2^31 - 2 symbols. Finds
/// nothing when it was stopped; libdivsufsort cannot be.
[[nodiscard]] Repeats count_repeats(const Text &text, const Stopped &stopped = {});

/// The starts of the text's suffixes in lexical order, sorted by 64 bits at a time. Empty where
/// that does not pay, since too many suffixes begin alike, and when it was stopped.
[[nodiscard]] std::vector<int32_t> order_suffixes_by_windows(const Text &text,
                                                             const Stopped &stopped = {});

/// The same by libdivsufsort, which minds no repeat.
[[nodiscard]] std::vector<int32_t> order_suffixes(const Text &text);

} // namespace hwrngd::assess
