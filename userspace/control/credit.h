// SPDX-License-Identifier: GPL-2.0-or-later
// How much a source's bytes are worth. Nothing else decides it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace hwrngd {

/// What a source claims is in the kernel's own unit: bits of entropy per 1024 bits.
inline constexpr unsigned full_quality = 1024;

/// Bits of entropy that `bytes` bytes of a source of quality `claim` are credited with: what the
/// administrator has `decided`, or else half of the claim, since a chip need not be trusted
/// blindly; and no more than it was `assessed` to have. All are bits in 1024. Rounded down; claims
/// above full quality count as full.
[[nodiscard]] constexpr uint64_t credited_bits(uint64_t bytes, unsigned claim,
                                               unsigned assessed = full_quality,
                                               std::optional<unsigned> decided = std::nullopt)
{
	const uint64_t half_units = decided ? uint64_t{2} * *decided : claim;
	return bytes * 8 *
	       std::min({half_units, uint64_t{2} * assessed,
	                 uint64_t{decided ? 2 * full_quality : full_quality}}) /
	       full_quality / 2;
}

/// What the pool of a kernel before 5.18 holds, in bits. drivers/char/random.c had counted how much
/// of it is left; since 5.18 (and the stable kernels that took it over) nothing is used up.
struct PoolLevel {
	unsigned available = 0;
	unsigned threshold = 0; ///< write_wakeup_threshold: with less it wants more
	unsigned size = 0;
};

/// Bits that such a pool may be credited with now: until `watermark` bits are in it, or half of it,
/// and nothing before it wants more.
[[nodiscard]] constexpr uint64_t creditable_bits(const PoolLevel &level,
                                                 std::optional<unsigned> watermark)
{
	const unsigned most = std::min(watermark.value_or(level.size / 2), level.size);
	const unsigned wanted_below = std::min(level.threshold, most);
	return level.available >= wanted_below ? 0 : most - level.available;
}

} // namespace hwrngd
