// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/source_rows.h"

#include "base/format.h"

#include <algorithm>
#include <chrono>

namespace hwrngd {

namespace {

using Json = nlohmann::ordered_json;

/// Of a source that the daemon uses.
void add_status(const Json &status, SourceRow &row)
{
	row.used_by = row.used_by == "kernel" ? "kernel+hwrngd" : "hwrngd";
	row.health = status.value("state", "?");
	if (const auto path = status.value("path", Json::array()); !path.empty())
		row.why = path.back().value("reason", "");
	if (const auto last = status.find("last_fed"); last != status.end() && last->is_number())
		row.last_fed = last->get<double>();
	const auto number = [&](const char *key) { return status.value(key, uint64_t{0}); };
	row.credited_bits = number("credited_bits");
	row.bytes_read = number("bytes_read");
	row.bytes_fed = number("bytes_fed");
	row.read_errors = number("read_errors");
	row.fips_blocks = number("fips_blocks");
	row.fips_failures = number("fips_failures");
	row.worst_latency_ms = number("worst_latency_ms");
	const auto latency = status.value("latency", Json::object());
	row.reads = latency.value("reads", uint64_t{0});
	row.read_seconds = latency.value("sum", 0.0);
}

} // namespace

std::vector<SourceRow> source_rows(const Inventory &inventory, const Json &daemon)
{
	std::vector<SourceRow> rows;
	rows.reserve(inventory.sources.size());
	for (const auto &source : inventory.sources)
		rows.push_back({.name = source.name,
		                .kind = name(source.kind),
		                .used_by = source.current ? "kernel" : "-",
		                .health = "-",
		                .why = {},
		                .claim = source.claim,
		                .last_fed = {}});
	if (!daemon.is_object())
		return rows;
	for (const auto &status : daemon.value("sources", Json::array())) {
		if (status.value("use", "ignore") == "ignore")
			continue;
		const auto known = status.value("name", "?");
		auto row = std::ranges::find(rows, known, &SourceRow::name);
		if (row == rows.end())
			row = rows.insert(rows.end(), {.name = known,
			                               .kind = status.value("kind", "?"),
			                               .used_by = "-",
			                               .health = {},
			                               .why = {},
			                               .claim = status.value("claim", 0U),
			                               .last_fed = {}});
		add_status(status, *row);
	}
	return rows;
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
