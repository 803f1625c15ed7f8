// SPDX-License-Identifier: GPL-2.0-or-later
// What `hwrngctl top` shows, as lines of a screen of any size; it knows no terminal.
#pragma once

#include "command/source_rows.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hwrngd {

/// One look at the machine.
struct TopSample {
	double time = 0;   ///< in seconds since 1970
	double steady = 0; ///< s, of a clock that nobody sets
	Inventory inventory;
	std::optional<DaemonStatus> daemon; ///< none: none runs, or answers
	std::string no_answer;              ///< why it does not answer, if it runs
	std::vector<SourceRow> rows;
};

/// What changed, and when.
struct TopChange {
	double time = 0; ///< in seconds since 1970
	std::string text;
	bool bad = false;
};

/// What the second look shows that the first did not, and no source's path tells: the hwrng in use,
/// and whether the daemon runs.
[[nodiscard]] std::vector<TopChange> changes_between(const TopSample &before, const TopSample &now);

/// A source's activity per second from one look to the next.
struct SourceActivity {
	double bytes_read = 0;
	double bytes_fed = 0;
	double bytes_drawn = 0; ///< by EGD clients
	double latency = 0; ///< s, of a read: between the two, or since the daemon began if none was
	bool known = false; ///< the same daemon was seen both times
};
[[nodiscard]] SourceActivity activity(const TopSample &before, const TopSample &now,
                                      const SourceRow &row);

/// What the rows are ordered by, the greatest first; `place` leaves them as they are listed.
enum class TopOrder : uint8_t { place, name, read, fed, failures, latency };
inline constexpr int top_orders = 6; ///< how many these are

struct TopView {
	size_t width = 80;
	size_t height = 24;
	double delay = 1; ///< s between looks
	TopOrder order = TopOrder::place;
	bool reversed = false;
	bool help = false;
	size_t first = 0;    ///< of the sources that are shown
	std::string message; ///< in the last line, instead of the keys
};

enum class Look : uint8_t { plain, title, good, bad };

struct TopLine {
	std::string text; ///< printable ASCII, at most as wide as the screen
	Look look = Look::plain;
};

/// `height` lines, of `width` characters at most. `changes` are those seen while it ran; those of
/// the sources' states come from the daemon.
[[nodiscard]] std::vector<TopLine> top_lines(const TopSample &before, const TopSample &now,
                                             const std::vector<TopChange> &changes,
                                             const TopView &view);

/// How many sources the screen has room for.
[[nodiscard]] size_t rows_shown(const TopSample &now, const TopView &view);

} // namespace hwrngd
