// SPDX-License-Identifier: GPL-2.0-or-later
// The configuration with which the running kernel was built.
#pragma once

#include "base/root.h"

#include <optional>
#include <string>
#include <string_view>

namespace hwrngd {

struct KernelOption {
	/// "y", "m", "n" if it is not set, another value, or empty if this kernel does not have it.
	std::string value;
	std::string file; ///< that says so
};

/// An option of the kernel `release` (uname -r), such as "CONFIG_HW_RANDOM_TPM"; std::nullopt if
/// its configuration cannot be read.
[[nodiscard]] std::optional<KernelOption>
kernel_option(const Root &root, const std::string &release, std::string_view name);

} // namespace hwrngd
