// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/top_view.h"

#include "base/format.h"

#include <algorithm>
#include <cmath>
#include <ctime>

namespace hwrngd {

namespace {

constexpr size_t lines_above = 5;   // above the sources
constexpr size_t least_changes = 6; // lines for the changes and around them
constexpr size_t wide = 110;        // from this number of columns on, each source has more details

/// The local time of day.
std::string clock_time(double time)
{
	constexpr double latest = 1e15; // a document may hold any number, and time_t may not
	if (time <= -latest || time >= latest || std::isnan(time))
		return "??:??:??";
	const auto seconds = static_cast<time_t>(time);
	std::tm local = {};
	if (localtime_r(&seconds, &local) == nullptr)
		return "??:??:??";
	return fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

/// "0", "512", "1.2k", "34M": in 4 columns.
std::string short_number(double number)
{
	constexpr double kilo = 1000;
	size_t unit = 0;
	constexpr std::string_view units = " kMGTPE";
	while (number >= kilo - 0.5 && unit + 1 < units.size()) {
		number /= kilo;
		unit++;
	}
	if (unit == 0)
		return fmt::format("{:.0f}", number);
	return fmt::format("{:.{}f}{}", number, number < 9.95 ? 1 : 0, units[unit]);
}

/// "12us", "3.1ms", "1.2s".
std::string short_time(double seconds)
{
	if (seconds < 1e-3)
		return fmt::format("{:.0f}us", seconds * 1e6);
	if (seconds < 1)
		return fmt::format("{:.{}f}ms", seconds * 1e3, seconds < 0.01 ? 1 : 0);
	return fmt::format("{:.1f}s", seconds);
}

/// A logarithmic scale from 10 us to 10 s: each sixth of `width` is a factor of ten.
std::string latency_bar(double seconds, size_t width)
{
	constexpr double shortest = 1e-5;
	constexpr double decades = 6;
	const double share =
	    seconds <= 0 ? 0 : std::clamp(std::log10(seconds / shortest) / decades, 0.0, 1.0);
	const auto filled = static_cast<size_t>(std::lround(share * static_cast<double>(width)));
	return std::string(filled, '#') + std::string(width - filled, '.');
}

/// What the daemon said of itself, or nullptr if it is not running.
const DaemonStatus *running(const TopSample &sample)
{
	return sample.daemon ? &*sample.daemon : nullptr;
}

std::string current_of(const TopSample &sample)
{
	return sample.inventory.hwrng && !sample.inventory.hwrng->current.empty()
	           ? sample.inventory.hwrng->current
	           : "none";
}

/// The daemon's process id, or 0. (Its start time is not exact enough to identify it.)
uint64_t pid_of(const TopSample &sample)
{
	const auto *daemon = running(sample);
	return daemon != nullptr ? daemon->pid : 0;
}

std::string daemon_line(const TopSample &now)
{
	if (!now.no_answer.empty())
		return now.no_answer;
	if (const auto *daemon = running(now))
		return in_a_line(*daemon);
	return "hwrngd is not running, so nothing is tested: `systemctl start hwrngd`";
}

/// A source's line, or the header if `row` is null.
std::string source_line(const SourceRow *row, const SourceActivity &did, bool is_wide)
{
	if (row == nullptr)
		return is_wide
		           ? fmt::format("{:<24} {:<9} {:<13} {:<11} {:>7} {:>7} {:>7} {:>10} {:>9} {:>5} "
		                         "{:>4} {:>7}  {}",
		                         "SOURCE", "KIND", "USED BY", "HEALTH", "READ/s", "FED/s",
		                         "DRAWN/s", "CREDITED", "BLOCKS", "FAIL", "ERR", "WORST", "LATENCY")
		           : fmt::format("{:<18} {:<11} {:>6} {:>6} {:>7} {:>5} {:>4}  {}", "SOURCE",
		                         "HEALTH", "READ/s", "FED/s", "DRAWN/s", "FAIL", "ERR", "LATENCY");
	const auto rate = [&](double number) { return did.known ? short_number(number) : "-"; };
	const bool tested = row->tested();
	const auto count = [&](uint64_t number) {
		return tested ? short_number(static_cast<double>(number)) : "-";
	};
	const auto &status = row->status;
	const auto latency = status.latency.reads == 0
	                         ? ""
	                         : fmt::format("{} {}", latency_bar(did.latency, is_wide ? 24 : 8),
	                                       short_time(did.latency));
	const auto name = (row->used_by.starts_with("kernel") ? "*" : " ") + row->name;
	if (is_wide)
		return fmt::format(
		    "{:<24.24} {:<9} {:<13} {:<11} {:>7} {:>7} {:>7} {:>10} {:>9} {:>5} {:>4} {:>7}  {}",
		    name, row->kind, row->used_by, row->health, rate(did.bytes_read), rate(did.bytes_fed),
		    rate(did.bytes_drawn), count(status.credited_bits), count(status.fips_blocks),
		    count(status.fips_failures), count(status.read_errors),
		    tested ? short_time(static_cast<double>(status.worst_latency_ms) / 1e3) : "-", latency);
	return fmt::format("{:<18.18} {:<11} {:>6} {:>6} {:>7} {:>5} {:>4}  {}", name, row->health,
	                   rate(did.bytes_read), rate(did.bytes_fed), rate(did.bytes_drawn),
	                   count(status.fips_failures), count(status.read_errors), latency);
}

bool is_bad(const std::string &state)
{
	return state == "quarantined" || state == "suspect";
}

Look look_of(const SourceRow &row)
{
	if (is_bad(row.health))
		return Look::bad;
	return row.health == "healthy" ? Look::good : Look::plain;
}

/// Changes of the sources' states, and `seen`; the newest first.
std::vector<TopChange> all_changes(const TopSample &now, std::vector<TopChange> seen)
{
	if (const auto *daemon = running(now))
		for (const auto &source : daemon->sources)
			for (const auto &step : source.path)
				seen.push_back({step.time,
				                fmt::format("{}: {}, was {}: {}", source.name, step.to, step.from,
				                            step.reason),
				                is_bad(step.to)});
	std::ranges::sort(seen, std::ranges::greater(), &TopChange::time);
	return seen;
}

std::vector<SourceRow> ordered_rows(const TopSample &before, const TopSample &now,
                                    const TopView &view)
{
	auto rows = now.rows;
	const auto key = [&](const SourceRow &row) {
		const auto did = activity(before, now, row);
		switch (view.order) {
		case TopOrder::read:
			return did.bytes_read;
		case TopOrder::fed:
			return did.bytes_fed;
		case TopOrder::failures:
			return static_cast<double>(row.status.fips_failures + row.status.read_errors);
		case TopOrder::latency:
			return did.latency;
		case TopOrder::place:
		case TopOrder::name:
			break;
		}
		return 0.0;
	};
	if (view.order == TopOrder::name)
		std::ranges::sort(rows, {}, &SourceRow::name);
	else if (view.order != TopOrder::place)
		// Equal rows are sorted by name, so that they keep their places.
		std::ranges::sort(rows, [&](const SourceRow &a, const SourceRow &b) {
			const auto key_a = key(a);
			const auto key_b = key(b);
			return key_a == key_b ? a.name < b.name : key_a > key_b;
		});
	if (view.reversed)
		std::ranges::reverse(rows);
	return rows;
}

const char *name(TopOrder order)
{
	switch (order) {
	case TopOrder::place:
		return "in list order";
	case TopOrder::name:
		return "by name";
	case TopOrder::read:
		return "by bytes read";
	case TopOrder::fed:
		return "by bytes fed";
	case TopOrder::failures:
		return "by failures";
	case TopOrder::latency:
		return "by latency";
	}
	return "?";
}

std::vector<TopLine> help_lines()
{
	return {{"Keys", Look::title},
	        {"  q, Ctrl-C           quit"},
	        {"  space, Enter        update now"},
	        {"  s, d                set the seconds between updates"},
	        {"  < >                 sort by another column"},
	        {"  R                   reverse the order"},
	        {"  Up, Down, PgUp, PgDn, Home  scroll, if there are more sources than lines"},
	        {"  h, ?                show or hide this help"},
	        {""},
	        {"Columns", Look::title},
	        {"  SOURCE   * marks the hwrng that the kernel uses"},
	        {"  READ/s   bytes per second that hwrngd reads; FED/s: that it feeds to the pool;"},
	        {"           DRAWN/s: that EGD clients get"},
	        {"  FAIL     blocks of 2500 bytes that failed FIPS 140-2; a few in 1000 are normal"},
	        {"  ERR      reads that failed"},
	        {"  LATENCY  mean time of a read since the last update; a full bar is 10 s, half a"},
	        {"           bar 10 ms, an empty bar 10 us"}};
}

/// Replaces what a terminal would interpret, and cuts what does not fit.
std::string printable(std::string text, size_t width)
{
	text.resize(std::min({text.size(), width, text.find_last_not_of(' ') + 1}));
	std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
	return text;
}

} // namespace

std::vector<TopChange> changes_between(const TopSample &before, const TopSample &now)
{
	std::vector<TopChange> changes;
	if (current_of(before) != current_of(now))
		changes.push_back(
		    {now.time,
		     fmt::format("rng_current is {}, was {}", current_of(now), current_of(before)),
		     current_of(now) == "none"});
	if (pid_of(before) == pid_of(now) && before.no_answer.empty() == now.no_answer.empty())
		return changes;
	if (running(now) != nullptr)
		changes.push_back(
		    {now.time,
		     fmt::format("hwrngd {} as pid {}",
		                 before.no_answer.empty() ? "is running" : "answers again", pid_of(now)),
		     false});
	else
		changes.push_back(
		    {now.time,
		     now.no_answer.empty() ? "hwrngd is no longer running" : "hwrngd does not answer",
		     true});
	return changes;
}

SourceActivity activity(const TopSample &before, const TopSample &now, const SourceRow &row)
{
	SourceActivity did;
	const auto &status = row.status;
	const auto &latency = status.latency;
	if (latency.reads > 0)
		did.latency = latency.sum / static_cast<double>(latency.reads);
	const auto found = std::ranges::find(before.rows, row.name, &SourceRow::name);
	const double seconds = now.steady - before.steady;
	if (running(now) == nullptr || pid_of(before) != pid_of(now) || found == before.rows.end() ||
	    seconds <= 0 || !row.tested())
		return did;
	const auto &old = found->status;
	// Counts restart from 0, for example if the source was unplugged and plugged in again.
	if (old.bytes_read > status.bytes_read || old.bytes_fed > status.bytes_fed ||
	    old.bytes_drawn > status.bytes_drawn || old.latency.reads > latency.reads ||
	    old.latency.sum > latency.sum)
		return did;
	const auto rate = [&](uint64_t SourceStatus::*count) {
		return static_cast<double>(status.*count - old.*count) / seconds;
	};
	did.known = true;
	did.bytes_read = rate(&SourceStatus::bytes_read);
	did.bytes_fed = rate(&SourceStatus::bytes_fed);
	did.bytes_drawn = rate(&SourceStatus::bytes_drawn);
	if (latency.reads > old.latency.reads)
		did.latency = (latency.sum - old.latency.sum) /
		              static_cast<double>(latency.reads - old.latency.reads);
	return did;
}

size_t rows_shown(const TopSample &now, const TopView &view)
{
	const size_t room = view.height > lines_above + least_changes + 1
	                        ? view.height - lines_above - least_changes
	                        : 1;
	return std::min(room, now.rows.size());
}

std::vector<TopLine> top_lines(const TopSample &before, const TopSample &now,
                               const std::vector<TopChange> &changes, const TopView &view)
{
	const auto &has = now.inventory;
	std::vector<TopLine> lines;
	lines.push_back({fmt::format("hwrngctl top - {}, every {:g} s, {}{}", clock_time(now.time),
	                             view.delay, name(view.order), view.reversed ? ", reversed" : ""),
	                 Look::title});
	lines.push_back(
	    {fmt::format("Kernel {}, CRNG {}, pool {}/{}, hwrng {}", has.kernel,
	                 has.crng_ready ? "ready" : "NOT ready", has.entropy_available.value_or(0),
	                 has.pool_size.value_or(0), current_of(now)),
	     has.crng_ready ? Look::plain : Look::bad});
	lines.push_back({daemon_line(now), running(now) != nullptr ? Look::plain : Look::bad});
	lines.push_back({});
	if (view.help) {
		std::ranges::move(help_lines(), std::back_inserter(lines));
	} else {
		const bool is_wide = view.width >= wide;
		lines.push_back({source_line(nullptr, {}, is_wide), Look::title});
		const auto rows = ordered_rows(before, now, view);
		const auto shown = rows_shown(now, view);
		const auto first = std::min(view.first, rows.size() - shown);
		for (size_t i = first; i < first + shown; i++)
			lines.push_back(
			    {source_line(&rows[i], activity(before, now, rows[i]), is_wide), look_of(rows[i])});
		if (rows.empty())
			lines.push_back({"No source was found: `hwrngctl doctor` says what can be done"});
		lines.push_back({shown < rows.size() ? fmt::format("({} to {} of {} sources)", first + 1,
		                                                   first + shown, rows.size())
		                                     : ""});
		lines.push_back({"CHANGES", Look::title});
		for (const auto &change : all_changes(now, changes))
			lines.push_back({fmt::format("{} {}", clock_time(change.time), change.text),
			                 change.bad ? Look::bad : Look::plain});
	}
	lines.resize(std::max<size_t>(view.height, 1));
	lines.back() = {view.message.empty() ? "q quit  h help  s seconds  < > R order  space update"
	                                     : view.message,
	                Look::title};
	for (auto &line : lines)
		line.text = printable(std::move(line.text), view.width);
	return lines;
}

} // namespace hwrngd
