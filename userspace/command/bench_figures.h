// SPDX-License-Identifier: GPL-2.0-or-later
// The measurements of a source, and their comparison with the usual rate of its kind. Pure
// functions.
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
	// Latency of a read, in seconds:
	double median = 0;
	double percentile_99 = 0;
	double longest = 0;
};

/// `latencies`: seconds of each read that returned data; `bytes`: the sum of that data.
[[nodiscard]] BenchFigures figures_of(std::vector<double> latencies, uint64_t bytes);

/// The usual rate of a kind of source, in bytes per second. The ranges are wide: a rate outside is
/// worth an investigation, a rate inside says little.
struct UsualRate {
	SourceKind kind;
	std::string_view prefix; ///< of the source's name
	std::string_view title;  ///< of the kind, for people
	double least;
	double most;
	std::string_view from; ///< the origin of these figures
};

/// The usual rate for `source`, or nullptr if its hardware is unknown or was never measured.
[[nodiscard]] const UsualRate *usual_rate(const SourceInfo &source);

enum class Comparison : uint8_t { unknown, slower, usual, faster };

[[nodiscard]] const char *name(Comparison comparison);

[[nodiscard]] Comparison compare(double bytes_per_second, const UsualRate *usual);

/// "512 B/s", "9.4 kB/s", "98 MB/s"; k is 1000.
[[nodiscard]] std::string rate_text(double bytes_per_second);

/// "3.1 us", "12 ms", "1.2 s".
[[nodiscard]] std::string duration_text(double seconds);

} // namespace hwrngd
