// SPDX-License-Identifier: GPL-2.0-or-later
// The report of an assessment: one page of HTML that needs neither a network nor a script.
#pragma once

#include "assess/assess.h"
#include "assess/iid.h"
#include "assess/profile.h"
#include "assess/restart.h"

#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

/// Everything that a report shows.
struct Report {
	std::string name; ///< name of the source or file
	std::string made; ///< date and time, for people
	std::string version;
	Profile profile;
	std::optional<assess::Assessment> assessment;
	std::optional<iid::Assessment> iid;
	std::optional<restart::Assessment> restart;
	std::optional<Latency> latency; ///< only of a source
	std::vector<std::string> warnings;
};

/// Bits of min-entropy per sample, by the test that decides: the restart tests, else the IID track
/// if it passed, else the ten estimators. None if no test awards a figure.
[[nodiscard]] std::optional<double> min_entropy(const Report &report);

/// The tests that failed, as in "FIPS 140-2: 9 of 100 blocks failed".
[[nodiscard]] std::vector<std::string> failures(const Report &report);

/// The page. It depends only on `report`.
[[nodiscard]] std::string to_html(const Report &report);

} // namespace hwrngd
