// SPDX-License-Identifier: GPL-2.0-or-later
// What hwrngctl says, for people and for programs; also that of its parts which are programs of
// their own.
#pragma once

#include "base/error.h"

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace hwrngd {

/// Prints one JSON document on standard output.
void print_json(const nlohmann::ordered_json &document);

/// What a terminal would obey (of UTF-8 also U+0080 to U+009F) is replaced, as is the end of a
/// line.
[[nodiscard]] std::string for_terminal(std::string text);

/// Prints rows of equal length, the first of them headings, as a table of Markdown: for a terminal
/// and for a report. What would end a cell is replaced, too.
void print_table(std::vector<std::vector<std::string>> rows);

/// "1 flavor", "2 flavors".
[[nodiscard]] std::string counted(size_t number, const std::string &what);

/// Reports an error once: for people on standard error, for programs as a document too.
ExitCode report(const Error &error, bool json);

/// Output that was lost (a full disk, a closed pipe) is a failure too.
ExitCode flush_output(ExitCode code);

} // namespace hwrngd
