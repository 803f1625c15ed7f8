// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/source_rows.h"

#include "base/format.h"

#include <algorithm>
#include <chrono>

namespace hwrngd {

std::vector<SourceRow> source_rows(const Inventory &inventory,
                                   const std::optional<DaemonStatus> &daemon)
{
	std::vector<SourceRow> rows;
	rows.reserve(inventory.sources.size());
	for (const auto &source : inventory.sources)
		rows.push_back({.name = source.name,
		                .kind = name(source.kind),
		                .used_by = source.current ? "kernel" : "-",
		                .health = source.absent.empty() ? "-" : "absent",
		                .claim = source.claim,
		                .status = {}});
	if (!daemon)
		return rows;
	for (const auto &status : daemon->sources) {
		if (!status.used())
			continue;
		auto row = std::ranges::find(rows, status.name, &SourceRow::name);
		if (row == rows.end())
			row = rows.insert(rows.end(), {.name = status.name,
			                               .kind = status.kind,
			                               .used_by = "-",
			                               .health = {},
			                               .claim = status.claim,
			                               .status = {}});
		row->used_by = row->used_by == "kernel" ? "kernel+hwrngd" : "hwrngd";
		row->health = status.state;
		row->status = status;
	}
	return rows;
}

std::string in_a_line(const DaemonStatus &daemon)
{
	return fmt::format("hwrngd {} (pid {}), running for {}, {} feeds{}", daemon.version, daemon.pid,
	                   ago(daemon.started), daemon.feeds,
	                   daemon.last_feed ? fmt::format(", the last {} ago", ago(*daemon.last_feed))
	                                    : "");
}

std::string ago(double when)
{
	using namespace std::chrono;
	const double s =
	    std::max(0.0, duration<double>(system_clock::now().time_since_epoch()).count() - when);
	if (s < 120)
		return fmt::format("{:.0f} s", s);
	if (s < 2 * 3600)
		return fmt::format("{:.0f} min", s / 60);
	return s < 2 * 86400 ? fmt::format("{:.0f} h", s / 3600) : fmt::format("{:.0f} d", s / 86400);
}

} // namespace hwrngd
