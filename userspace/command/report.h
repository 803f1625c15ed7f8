// SPDX-License-Identifier: GPL-2.0-or-later
// The report of an assessment: one page of HTML that needs nothing else, neither a network nor a
// script.
#pragma once

#include "assess/assess.h"
#include "assess/iid.h"
#include "assess/profile.h"
#include "assess/restart.h"

#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

/// All that a report shows.
struct Report {
	std::string name; ///< of the source or file
	std::string made; ///< when, for people
	std::string version;
	Profile profile;
	std::optional<assess::Assessment> assessment;
	std::optional<iid::Assessment> iid;
	std::optional<restart::Assessment> restart;
	std::optional<Latency> latency; ///< of a source; a file has none
	std::vector<std::string> warnings;
};

/// Bits of min-entropy per sample, by the test that has the last word: the restart tests, else the
/// IID track if it passed, else the ten estimators. None when no test awards any figure.
[[nodiscard]] std::optional<double> min_entropy(const Report &report);

/// The tests that failed, as in "FIPS 140-2: 9 of 100 blocks failed".
[[nodiscard]] std::vector<std::string> failures(const Report &report);

/// The page, a function of the figures alone.
[[nodiscard]] std::string to_html(const Report &report);

} // namespace hwrngd
