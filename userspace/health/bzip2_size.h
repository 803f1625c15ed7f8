// SPDX-License-Identifier: GPL-2.0-or-later
// The compression statistic of NIST SP 800-90B, section 5.1.11.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hwrngd::iid {

/// The bytes that bzip2, with blocks of 500 kB as in NIST's tool, makes of the samples written as
/// decimal numbers with a space between two. `raw`: the number to write, by sample.
[[nodiscard]] uint64_t compressed_size(std::span<const uint8_t> samples,
                                       const std::array<uint8_t, 256> &raw);

} // namespace hwrngd::iid
