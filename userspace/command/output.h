// SPDX-License-Identifier: GPL-2.0-or-later
// The output of hwrngctl and its helper programs, for people and for programs.
#pragma once

#include "base/error.h"

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace hwrngd {

/// Prints one JSON document on standard output.
void print_json(const nlohmann::ordered_json &document);

/// Replaces control characters, including ends of lines and U+0080 to U+009F in UTF-8.
[[nodiscard]] std::string for_terminal(std::string text);

/// Prints rows of equal length as a Markdown table, for a terminal and for a report. The first row
/// has the headings. Characters that would end a cell are replaced.
void print_table(std::vector<std::vector<std::string>> rows);

/// "1 flavor", "2 flavors".
[[nodiscard]] std::string counted(size_t number, const std::string &what);

/// Reports an error on standard error, and with `json` also as a document on standard output.
ExitCode report(const Error &error, bool json);

/// Flushes standard output. Returns `code`, or an error if output was lost (full disk, closed
/// pipe).
ExitCode flush_output(ExitCode code);

} // namespace hwrngd
