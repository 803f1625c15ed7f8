// SPDX-License-Identifier: GPL-2.0-or-later
// Prints the tests of SP 800-90B that `assess` runs only on request.
#pragma once

#include "assess/iid.h"
#include "assess/restart.h"

#include <nlohmann/json_fwd.hpp>

namespace hwrngd {

/// {"iid", "min_entropy", ..., "chi_square_independence", ..., "permutations"}
[[nodiscard]] nlohmann::ordered_json to_json(const iid::Assessment &iid);
/// {"passed", "min_entropy", "h_initial", "h_rows", "h_columns", ...}
[[nodiscard]] nlohmann::ordered_json to_json(const restart::Assessment &restart);

void print_text(const iid::Assessment &iid);
void print_text(const restart::Assessment &restart);

} // namespace hwrngd
