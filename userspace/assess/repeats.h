// SPDX-License-Identifier: GPL-2.0-or-later
// Counts the repeats in a text.
#pragma once

#include "assess/bits.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace hwrngd::assess {

/// A text of symbols that take `width` bits of `bits` each.
struct Text {
	const Bits &bits;
	unsigned width;

	[[nodiscard]] size_t size() const { return bits.size() / width; }
};

/// Counts by the length of a tuple, from 1 to the longest that occurs twice. Tuples may overlap.
struct Repeats {
	std::vector<uint32_t> most{0};  ///< count of the most frequent tuple; [0] is not used
	std::vector<uint64_t> pairs{0}; ///< number of pairs of places with the same tuple

	[[nodiscard]] size_t longest() const { return most.size() - 1; }
};

/// Returns true if the work must stop. If empty, the work is never stopped.
using Stopped = std::function<bool()>;

/// Counts all repeats in O(n log n) for repeats of any length. Needs 4 bytes per symbol if repeats
/// are as short as in random data, otherwise 9. The text may have up to 2^31 - 2 symbols. Returns
/// no repeats if it was stopped, which is not possible during libdivsufsort.
[[nodiscard]] Repeats count_repeats(const Text &text, const Stopped &stopped = {});

/// The starts of the text's suffixes in lexical order, sorted by 64 bits at a time. Empty if too
/// many suffixes begin alike, which makes this slow, or if it was stopped.
[[nodiscard]] std::vector<int32_t> order_suffixes_by_windows(const Text &text,
                                                             const Stopped &stopped = {});

/// The same by libdivsufsort, whose speed does not depend on repeats.
[[nodiscard]] std::vector<int32_t> order_suffixes(const Text &text);

} // namespace hwrngd::assess
