// SPDX-License-Identifier: GPL-2.0-or-later
// What this process may do.
#pragma once

#include "root.h"

#include <cstdint>
#include <cstdlib>

#include <linux/capability.h>

namespace hwrngd {

/// True when the process has capability `number` (CAP_SYS_ADMIN, ...) in effect, by
/// /proc/self/status; see capabilities(7).
[[nodiscard]] inline bool has_capability(const Root &root, unsigned number)
{
	const auto status = root.read_if_any("/proc/self/status").value_or("");
	const auto at = status.find("CapEff:");
	if (at == std::string::npos)
		return false;
	const uint64_t effective = std::strtoull(status.c_str() + at + 7, nullptr, 16);
	return (effective >> number & 1U) != 0;
}

} // namespace hwrngd
