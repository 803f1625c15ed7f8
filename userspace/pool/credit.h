// SPDX-License-Identifier: GPL-2.0-or-later
// How much a source's bytes are worth. Nothing else decides it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace hwrngd {

/// What a source claims is in the kernel's own unit: bits of entropy per 1024 bits.
inline constexpr unsigned full_quality = 1024;

/// Bits of entropy that `bytes` bytes of a source of quality `claim` are credited with: half of
/// the claim, since a chip need not be trusted blindly, and no more than it was assessed to have;
/// rounded down; claims above full quality count as full.
[[nodiscard]] constexpr uint64_t credited_bits(uint64_t bytes, unsigned claim,
                                               unsigned assessed = full_quality)
{
	const uint64_t claimed = std::min(claim, full_quality);
	return bytes * 8 * std::min<uint64_t>(claimed, uint64_t{2} * assessed) / full_quality / 2;
}

} // namespace hwrngd
