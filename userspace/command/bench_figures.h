// SPDX-License-Identifier: GPL-2.0-or-later
// What was measured of a source, and how that compares with its kind. Pure.
#pragma once

#include "control/inventory.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd {

struct BenchFigures {
	uint64_t reads = 0;
	uint64_t bytes = 0;
	double bytes_per_second = 0; ///< while reads were under way
	// Of a read, in seconds:
	double median = 0;
	double percentile_99 = 0;
	double longest = 0;
};

/// `latencies`: of each read that gave something, in seconds; `bytes` that these gave in all.
[[nodiscard]] BenchFigures figures_of(std::vector<double> latencies, uint64_t bytes);

/// What is usual for a kind of source, in bytes a second. The ranges are wide: what lies outside of
/// them is worth a look, what lies within says little.
struct UsualRate {
	SourceKind kind;
	std::string_view prefix; ///< of its name
	std::string_view title;  ///< of the kind, for people
	double least;
	double most;
	std::string_view from; ///< where these figures are from
};

/// Of the kind of `source`, or nullptr where anything may be behind it, or nobody has measured it.
[[nodiscard]] const UsualRate *usual_rate(const SourceInfo &source);

enum class Comparison : uint8_t { unknown, slower, usual, faster };

[[nodiscard]] const char *name(Comparison comparison);

[[nodiscard]] Comparison compare(double bytes_per_second, const UsualRate *usual);

/// "512 B/s", "9.4 kB/s", "98 MB/s"; k is 1000.
[[nodiscard]] std::string rate_text(double bytes_per_second);

/// "3.1 us", "12 ms", "1.2 s".
[[nodiscard]] std::string duration_text(double seconds);

} // namespace hwrngd
