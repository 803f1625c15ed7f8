// SPDX-License-Identifier: GPL-2.0-or-later
#include "pool/harvest.h"

#include <algorithm>

#include <fmt/format.h>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

// A harvest of a slow source ends after this time, so that its bytes are used soon.
constexpr auto patience = 250ms;

} // namespace

void Harvest::read_source(const SourceOpener &open, const std::function<Time()> &now, bool whole)
{
	const auto opened = open(source);
	if (!opened) {
		error = opened.error();
		return;
	}
	const auto begin = now();
	read_into_buffer(**opened, now, whole);
	duration = now() - begin;
	if (auto closed = (*opened)->close(); !closed && !error)
		error = closed.error();
}

void Harvest::read_into_buffer(Source &opened, const std::function<Time()> &now, bool whole)
{
	const auto begin = now();
	while (have < buffer.span().size()) {
		const auto before = now();
		if (have > 0 && !whole && before - begin >= patience)
			return;
		const auto rest = buffer.span().subspan(have);
		const auto n = opened.read(rest.first(std::min(rest.size(), piece)), stall_limit);
		const auto latency = now() - before;
		latencies.emplace_back(latency);
		worst = std::max(worst, std::chrono::duration_cast<std::chrono::milliseconds>(latency));
		if (!n)
			error = n.error();
		else if (*n == 0)
			error = Error{ExitCode::io_error, fmt::format("{}: end of data", source.name)};
		if (error)
			return;
		have += *n;
	}
}

} // namespace hwrngd
