// SPDX-License-Identifier: GPL-2.0-or-later
// The tests of NIST SP 800-90B, section 5.2: chi-square tests and the length of the longest
// repeated substring, with the figures of NIST's ea_iid.
#pragma once

#include "assess/assess.h"

#include <cstdint>

namespace hwrngd::iid {

/// A p-value below this fails a test of section 5.2.
inline constexpr double least_p = 0.001;

struct ChiSquare {
	double score = 0; ///< T
	uint64_t degrees_of_freedom = 0;
	double p = 1; ///< of such a score or a greater one

	[[nodiscard]] bool passed() const { return p >= least_p; }
};

/// Sections 5.2.1 (more than two values) and 5.2.3 (two): are neighbours independent?
[[nodiscard]] ChiSquare independence(const assess::Symbols &symbols);

/// Sections 5.2.2 and 5.2.4: do ten parts have the distribution of the whole?
[[nodiscard]] ChiSquare goodness_of_fit(const assess::Symbols &symbols);

struct LongestRepeat {
	double collision = 0; ///< p_col: that two samples are equal
	uint64_t length = 0;  ///< W
	double p = 1;         ///< that independent samples repeat so much at least once
	bool passed = true;
};

/// Section 5.2.5.
[[nodiscard]] LongestRepeat longest_repeat(const assess::Symbols &symbols);

/// P(X >= score) for X of a chi-square distribution.
[[nodiscard]] double chi_square_p(double score, uint64_t degrees_of_freedom);

} // namespace hwrngd::iid
