// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/root.h"

#include <string>
#include <vector>

namespace hwrngd {

/// A process or kernel thread that feeds the kernel's pool.
struct Feeder {
	std::string name; ///< its comm, see proc(5)
	unsigned pid = 0;
	std::string what;
	std::string unit; ///< its systemd service; empty if it has none
};

/// The feeders whose processes are visible. `current` is the hwrng that the kernel's thread reads.
[[nodiscard]] std::vector<Feeder> find_feeders(const Root &root, const std::string &current);

} // namespace hwrngd
