// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon tells the journal, or whoever reads its standard error.
#pragma once

#include <cstdint>
#include <string>

namespace hwrngd {

/// Priorities of syslog(3), as sd-daemon(3) reads them at the beginning of a line.
enum class Priority : uint8_t { error = 3, warning = 4, notice = 5, info = 6 };

/// Prints one message, from any thread.
void log(Priority priority, const std::string &message);

} // namespace hwrngd
