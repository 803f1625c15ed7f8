// SPDX-License-Identifier: GPL-2.0-or-later
// Does the kernel trust the CPU's random numbers? See random.trust_cpu in
// Documentation/admin-guide/kernel-parameters.txt.
#pragma once

#include "base/root.h"

#include <optional>
#include <string>
#include <string_view>

namespace hwrngd {

/// The value of random.trust_cpu on this kernel command line; std::nullopt if it has no valid one.
/// If it has several, the last one counts.
[[nodiscard]] std::optional<bool> trust_cpu_parameter(std::string_view command_line);

/// Why the kernel `release` (uname -r) does not trust the CPU, as a sentence without its full stop;
/// empty if it does.
[[nodiscard]] std::string cpu_distrust(const Root &root, const std::string &release);

} // namespace hwrngd
