// SPDX-License-Identifier: GPL-2.0-or-later
// The resources that a process holds.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace hwrngd::soak {

struct Resources {
	size_t descriptors = 0;
	size_t threads = 0;
	size_t resident = 0; ///< bytes
	size_t heap = 0;     ///< bytes that are allocated and not freed; only known for this process
};

[[nodiscard]] Resources resources_of(pid_t pid);

[[nodiscard]] std::string text(const Resources &resources);

} // namespace hwrngd::soak
