// SPDX-License-Identifier: GPL-2.0-or-later
// What somebody can do about a finding.
#pragma once

#include <string>
#include <vector>

namespace hwrngd {

/// One thing to do.
struct Advice {
	std::string what;
	std::string command = {}; ///< for a shell of this machine, as root; empty: it is done elsewhere
};

/// How a machine comes to a source of randomness; `hypervisor` and `board` as Facts has them.
[[nodiscard]] std::vector<Advice> get_a_source(const std::string &hypervisor,
                                               const std::string &board);

/// How `module` comes to be loaded at every boot.
[[nodiscard]] Advice keep_loaded(const std::string &module);

} // namespace hwrngd
