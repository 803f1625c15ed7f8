// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with a machine's randomness, and what to do about it. A pure function of facts.
#pragma once

#include "doctor/advice.h"
#include "doctor/facts.h"

#include <string>
#include <vector>

namespace hwrngd {

enum class Severity : uint8_t {
	problem, ///< something is missing
	warning, ///< it works, but there is something to do
	note,    ///< often mistaken for a fault
};

enum class Certainty : uint8_t { certain, likely };

/// The name in text and JSON.
[[nodiscard]] const char *name(Severity severity);
[[nodiscard]] const char *name(Certainty certainty);

struct Finding {
	std::string id; ///< does not change between releases
	Severity severity = Severity::problem;
	Certainty certainty = Certainty::certain;
	std::string text;
	std::vector<Evidence> evidence = {};
	std::vector<Advice> remedy = {};
};

/// All findings, the most important first. In a container, the only finding is that it is one. If
/// /sys or /proc is not mounted, that is the only finding.
[[nodiscard]] std::vector<Finding> diagnose(const Inventory &inventory, const Environment &around,
                                            const Facts &facts);

} // namespace hwrngd
