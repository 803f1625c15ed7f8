// SPDX-License-Identifier: GPL-2.0-or-later
// The screen of `hwrngctl top`, as lines of text of any size, without a terminal.
#pragma once

#include "command/source_rows.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hwrngd {

/// The state of the machine at one moment.
struct TopSample {
	double time = 0;   ///< in seconds since 1970
	double steady = 0; ///< in seconds, of a clock that is never set
	Inventory inventory;
	std::optional<DaemonStatus> daemon; ///< nothing if it is not running or does not answer
	std::string no_answer;              ///< why a running daemon does not answer
	std::vector<SourceRow> rows;
};

/// An event, and its time.
struct TopChange {
	double time = 0; ///< in seconds since 1970
	std::string text;
	bool bad = false;
};

/// Differences between two samples that are not in the sources' paths: the hwrng in use, and
/// whether the daemon is running.
[[nodiscard]] std::vector<TopChange> changes_between(const TopSample &before, const TopSample &now);

/// A source's activity per second, between two samples.
struct SourceActivity {
	double bytes_read = 0;
	double bytes_fed = 0;
	double bytes_drawn = 0; ///< by EGD clients
	double latency =
	    0; ///< s per read between the samples; since the daemon's start if there was none
	bool known = false; ///< both samples are of the same daemon
};
[[nodiscard]] SourceActivity activity(const TopSample &before, const TopSample &now,
                                      const SourceRow &row);

/// How the rows are sorted, the greatest first; `place` keeps the order of the list.
enum class TopOrder : uint8_t { place, name, read, fed, failures, latency };
inline constexpr int top_orders = 6; ///< how many orders exist

struct TopView {
	size_t width = 80;
	size_t height = 24;
	double delay = 1; ///< in seconds, between updates
	TopOrder order = TopOrder::place;
	bool reversed = false;
	bool help = false;
	size_t first = 0;    ///< number of the first source that is shown
	std::string message; ///< in the last line, instead of the keys
};

enum class Look : uint8_t { plain, title, good, bad };

struct TopLine {
	std::string text; ///< printable ASCII, at most as wide as the screen
	Look look = Look::plain;
};

/// Returns `height` lines of at most `width` characters. `changes` are those of changes_between();
/// changes of the sources' states come from the daemon.
[[nodiscard]] std::vector<TopLine> top_lines(const TopSample &before, const TopSample &now,
                                             const std::vector<TopChange> &changes,
                                             const TopView &view);

/// How many sources are shown on the screen.
[[nodiscard]] size_t rows_shown(const TopSample &now, const TopView &view);

} // namespace hwrngd
