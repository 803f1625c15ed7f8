// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace hwrngd {

/// `text` as one word of a command line, in quotes where a shell would make something else of it
/// (POSIX.1-2017, Shell Command Language, 2.2).
[[nodiscard]] std::string for_shell(const std::string &text);

} // namespace hwrngd
