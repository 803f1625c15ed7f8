// SPDX-License-Identifier: GPL-2.0-or-later
// What ails a machine's randomness, and what to do about it. Pure: what was seen in, findings out.
#pragma once

#include "doctor/advice.h"
#include "doctor/facts.h"

#include <string>
#include <vector>

namespace hwrngd {

enum class Severity : uint8_t {
	problem, ///< the machine lacks what it could have
	warning, ///< something is to be done, though it works
	note,    ///< often taken for a fault, and none
};

enum class Certainty : uint8_t { certain, likely };

/// As text and JSON have it.
[[nodiscard]] const char *name(Severity severity);
[[nodiscard]] const char *name(Certainty certainty);

struct Finding {
	std::string id; ///< stays the same from release to release
	Severity severity = Severity::problem;
	Certainty certainty = Certainty::certain;
	std::string text;
	std::vector<Evidence> evidence = {};
	std::vector<Advice> remedy = {};
};

/// All that applies, the most important first. In a container that it is one, and nothing else;
/// nor is there more to tell where /sys or /proc is missing.
[[nodiscard]] std::vector<Finding> diagnose(const Inventory &inventory, const Environment &around,
                                            const Facts &facts);

} // namespace hwrngd
