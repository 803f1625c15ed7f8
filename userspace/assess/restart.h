// SPDX-License-Identifier: GPL-2.0-or-later
// The restart tests of NIST SP 800-90B, section 3.1.4: does a source that is restarted begin with
// the same samples again, and does it hold as much entropy as when it runs on? The figures are
// those of NIST's ea_restart.
#pragma once

#include "assess/assess.h"

#include <cstdint>
#include <optional>

namespace hwrngd::restart {

inline constexpr size_t restarts = 1000; ///< rows
inline constexpr size_t samples = 1000;  ///< of each restart: columns

/// How rows and columns are assessed: by the ten estimators, or, if the source is IID, by the most
/// common value alone (ea_restart -n and -i).
enum class Track : uint8_t { non_iid, iid };

/// "non_iid", "iid"
[[nodiscard]] const char *name(Track track);

struct Assessment {
	Track track = Track::non_iid;
	double h_initial = 0; ///< H_I, as it was given

	// The sanity check, 3.1.4.3: how often is the most common value of a row or column found?
	uint32_t most_in_row = 0;    ///< X_r, the greatest of all rows
	uint32_t most_in_column = 0; ///< X_c
	uint32_t cutoff = 0;         ///< more than this fails

	// The validation, 3.1.4.2; not run when the sanity check failed.
	std::optional<double> h_rows;    ///< H_r
	std::optional<double> h_columns; ///< H_c

	/// The sanity check.
	[[nodiscard]] bool sane() const { return most_in_row <= cutoff && most_in_column <= cutoff; }
	/// Both, and neither H_r nor H_c is below half of H_I.
	[[nodiscard]] bool passed() const;
	/// min(H_r, H_c, H_I) bits per symbol; none are awarded when a test failed.
	[[nodiscard]] double min_entropy() const;
};

/// How often the most common value is found among 1000 samples of a source with so many bits of
/// min-entropy, at most, but for once in 199,000 times (so that all rows and columns stay below it
/// with a probability of 0.99). Exact, for the source of 3.1.4.3 and of NIST's tool: as many values
/// of probability 2^-H as there can be, and one for the rest.
[[nodiscard]] uint32_t most_common_cutoff(double min_entropy);

/// Runs the tests on a matrix, row by row: the samples of the first restart, of the second, and so
/// on. Fails when it is not of 1000 times 1000 samples, and when `h_initial` cannot be true of it.
[[nodiscard]] Result<Assessment> run_tests(const assess::Symbols &rows, double h_initial,
                                           Track track = Track::non_iid,
                                           const assess::Options &options = {});

} // namespace hwrngd::restart
