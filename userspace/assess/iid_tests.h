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
	double p = 1; ///< probability of this score or a greater one

	[[nodiscard]] bool passed() const { return p >= least_p; }
};

/// Sections 5.2.1 (more than two values) and 5.2.3 (two values): tests if neighbours are
/// independent.
[[nodiscard]] ChiSquare independence(const assess::Symbols &symbols);

/// Sections 5.2.2 and 5.2.4: tests if ten parts have the same distribution as the whole.
[[nodiscard]] ChiSquare goodness_of_fit(const assess::Symbols &symbols);

struct LongestRepeat {
	double collision = 0; ///< p_col: probability that two samples are equal
	uint64_t length = 0;  ///< W
	double p = 1;         ///< probability of a repeat of this length in independent samples
	bool passed = true;
};

/// Section 5.2.5: tests the length of the longest repeated substring.
[[nodiscard]] LongestRepeat longest_repeat(const assess::Symbols &symbols);

/// P(X >= score) for a chi-square distributed X.
[[nodiscard]] double chi_square_p(double score, uint64_t degrees_of_freedom);

} // namespace hwrngd::iid
