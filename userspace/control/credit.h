// SPDX-License-Identifier: GPL-2.0-or-later
// How much entropy a source's bytes are credited with. Decided only here.
#pragma once

#include "control/config.h"
#include "control/inventory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hwrngd {

/// The bits of entropy with which `bytes` bytes of a source are credited, rounded down. The quality
/// is what the administrator has `decided`. Without a decision it is half of the source's `claim`,
/// so that a chip is not trusted blindly. It is limited to the `assessed` quality. All qualities
/// are bits per 1024 bits; a claim above full quality counts as full.
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

/// Why a source earns no credit unless the administrator configures it, whatever it claims; empty
/// if its claim counts. Who provides a source decides: the kernel may not trust the CPU. The result
/// is for SourceInfo::distrust.
[[nodiscard]] std::string distrust_of(const SourceInfo &source, const Inventory &inventory);

/// The reason if `source` earns no credit for distrust with these settings of it; else empty.
[[nodiscard]] std::string_view why_uncredited(const SourceInfo &source,
                                              const SourceConfig &settings);

/// The credit of `bytes` bytes of a source, in bits, with the administrator's settings of it.
[[nodiscard]] uint64_t credited_bits(uint64_t bytes, const SourceInfo &source,
                                     const SourceConfig &settings);

/// True if its bytes are credited at all.
[[nodiscard]] bool earns_credit(const SourceInfo &source, const SourceConfig &settings);

/// The fill level of the kernel's pool before Linux 5.18, in bits. Those kernels count how much
/// entropy is left (drivers/char/random.c). Since 5.18, and the stable kernels with its changes
/// backported, reading uses up nothing.
struct PoolLevel {
	unsigned available = 0;
	unsigned threshold = 0; ///< write_wakeup_threshold: below it the kernel wants more
	unsigned size = 0;
};

/// The bits with which such a pool may be credited now. It is filled up to `watermark` bits
/// (default: half of its size), but only once its level is below the threshold.
[[nodiscard]] constexpr uint64_t creditable_bits(const PoolLevel &level,
                                                 std::optional<unsigned> watermark)
{
	const unsigned most = std::min(watermark.value_or(level.size / 2), level.size);
	const unsigned wanted_below = std::min(level.threshold, most);
	return level.available >= wanted_below ? 0 : most - level.available;
}

} // namespace hwrngd
