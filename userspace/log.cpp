// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace hwrngd {

void log(Priority priority, const std::string &message)
{
	// systemd tells by this variable that the journal reads what we print.
	static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr; // NOLINT: nobody sets it
	if (journal)
		fmt::print(stderr, "<{}>{}\n", static_cast<int>(priority), message);
	else
		fmt::print(stderr, "hwrngd: {}\n", message);
}

} // namespace hwrngd
