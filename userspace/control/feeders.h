// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/root.h"

#include <string>
#include <vector>

namespace hwrngd {

/// A process or kernel thread that feeds the kernel's pool.
struct Feeder {
	std::string name; ///< its comm, proc(5)
	unsigned pid = 0;
	std::string what;
	std::string unit; ///< systemd's, which has it run; empty if there is none
};

/// Those whose processes can be seen. `current` is the hwrng that the kernel's own thread reads.
[[nodiscard]] std::vector<Feeder> find_feeders(const Root &root, const std::string &current);

} // namespace hwrngd
