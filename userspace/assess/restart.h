// SPDX-License-Identifier: GPL-2.0-or-later
// The restart tests of NIST SP 800-90B, section 3.1.4. They detect a source that begins with the
// same samples after each restart, or has less entropy than in continuous operation. The figures
// are the same as those of NIST's ea_restart.
#pragma once

#include "assess/assess.h"

#include <cstdint>
#include <optional>

namespace hwrngd::restart {

inline constexpr size_t restarts = 1000; ///< number of restarts: rows
inline constexpr size_t samples = 1000;  ///< samples of each restart: columns

/// How rows and columns are assessed: by the ten estimators or, if the source is IID, only by the
/// most common value (ea_restart -n and -i).
enum class Track : uint8_t { non_iid, iid };

/// The name of a track: "non_iid" or "iid".
[[nodiscard]] const char *name(Track track);

struct Assessment {
	Track track = Track::non_iid;
	double h_initial = 0; ///< H_I, given by the caller

	// The sanity check (3.1.4.3): how often the most common value of a row or column occurs.
	uint32_t most_in_row = 0;    ///< X_r, the greatest count of all rows
	uint32_t most_in_column = 0; ///< X_c, the greatest count of all columns
	uint32_t cutoff = 0;         ///< the check fails above this count

	// The validation (3.1.4.2). It is not run if the sanity check failed.
	std::optional<double> h_rows;    ///< H_r
	std::optional<double> h_columns; ///< H_c

	/// True if the sanity check passed.
	[[nodiscard]] bool sane() const { return most_in_row <= cutoff && most_in_column <= cutoff; }
	/// True if the sanity check passed and neither H_r nor H_c is below half of H_I.
	[[nodiscard]] bool passed() const;
	/// min(H_r, H_c, H_I) bits per symbol, or 0 if a test failed.
	[[nodiscard]] double min_entropy() const;
};

/// The cutoff for the count of the most common value among 1000 samples of a source with this
/// min-entropy. A row or column exceeds it at most once in 199,000 times, so that none of the 2000
/// rows and columns exceeds it with a probability of 0.99. Exact for the source that 3.1.4.3 and
/// NIST's tool assume: as many values of probability 2^-H as possible, and one value for the rest.
[[nodiscard]] uint32_t most_common_cutoff(double min_entropy);

/// Runs the tests on a matrix. Each row holds the samples of one restart, and the rows follow each
/// other. Fails unless there are 1000 times 1000 samples, and if `h_initial` is impossible for
/// them.
[[nodiscard]] Result<Assessment> run_tests(const assess::Symbols &rows, double h_initial,
                                           Track track = Track::non_iid,
                                           const assess::Options &options = {});

} // namespace hwrngd::restart
