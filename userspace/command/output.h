// SPDX-License-Identifier: GPL-2.0-or-later
// What hwrngctl says, for people and for programs; also that of its parts which are programs of
// their own.
#pragma once

#include "error.h"

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace hwrngd {

/// Prints one JSON document on standard output.
void print_json(const nlohmann::ordered_json &document);

/// Prints rows of equal length, the first of them headings, as a table of Markdown: for a terminal
/// and for a report. What would end a cell or move a cursor is replaced.
void print_table(std::vector<std::vector<std::string>> rows);

/// "1 flavor", "2 flavors".
[[nodiscard]] std::string counted(size_t number, const std::string &what);

/// Reports an error once: for people on standard error, for programs as a document too.
ExitCode report(const Error &error, bool json);

/// Output that was lost (a full disk, a closed pipe) is a failure too.
ExitCode flush_output(ExitCode code);

} // namespace hwrngd
