// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace hwrngd {

/// Returns `text` as one word of a command line: quoted if a shell would treat any character of it
/// specially (POSIX.1-2017, Shell Command Language, 2.2).
[[nodiscard]] std::string for_shell(const std::string &text);

} // namespace hwrngd
