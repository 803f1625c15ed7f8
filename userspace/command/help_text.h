// SPDX-License-Identifier: GPL-2.0-or-later
// The form of the help texts.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

namespace hwrngd {

/// Formats help in 80 columns, without the type names of CLI11. completion/help.awk reads it.
[[nodiscard]] std::shared_ptr<CLI::FormatterBase> help_formatter();

} // namespace hwrngd
