// SPDX-License-Identifier: GPL-2.0-or-later
// The estimators of SP 800-90B, section 6.3, each for packed bits and for symbols of a larger
// alphabet. Step numbers in comments are those of the standard.
#pragma once

#include "assess/assess.h"
#include "assess/bits.h"
#include "assess/pace.h"

#include <span>
#include <utility>

namespace hwrngd::assess {

/// Symbols 0 ... alphabet - 1; the alphabet has more than two.
struct Literals {
	std::span<const uint8_t> symbols;
	unsigned alphabet = 0;

	[[nodiscard]] size_t size() const { return symbols.size(); }
	[[nodiscard]] uint8_t operator[](size_t at) const { return symbols[at]; }
};

/// Z(1 - 0.005): every upper bound is the end of a 99 % confidence interval.
inline constexpr long double z_alpha = 2.575829303548900384158L;

/// The compression estimate needs at least this many bits: 1000 blocks of six bits fill its
/// dictionary, and at least one more block must follow.
inline constexpr size_t least_bits = size_t{6} * (1000 + 1);
/// The MultiMCW estimate needs at least this many symbols: its longest window and one more.
inline constexpr size_t least_symbols = 4095 + 1;

[[nodiscard]] Estimate most_common_value(const Bits &bits);
[[nodiscard]] Estimate most_common_value(const Literals &literals);
[[nodiscard]] Estimate collision(const Bits &bits);
[[nodiscard]] Estimate markov(const Bits &bits);
[[nodiscard]] Estimate compression(const Bits &bits, Pace &pace);

/// The t-Tuple and the LRS estimate, together because both count the same repeats.
[[nodiscard]] std::pair<Estimate, Estimate> repeated_tuples(const Bits &bits, Pace &pace);
[[nodiscard]] std::pair<Estimate, Estimate> repeated_tuples(const Literals &literals, Pace &pace);

[[nodiscard]] Estimate multi_mcw(const Bits &bits, Pace &pace);
[[nodiscard]] Estimate multi_mcw(const Literals &literals, Pace &pace);
[[nodiscard]] Estimate lag(const Bits &bits, Pace &pace);
[[nodiscard]] Estimate lag(const Literals &literals, Pace &pace);
[[nodiscard]] Estimate multi_mmc(const Bits &bits, Pace &pace);
[[nodiscard]] Estimate multi_mmc(const Literals &literals, Pace &pace);
[[nodiscard]] Estimate lz78y(const Bits &bits, Pace &pace);
[[nodiscard]] Estimate lz78y(const Literals &literals, Pace &pace);

} // namespace hwrngd::assess
