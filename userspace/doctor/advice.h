// SPDX-License-Identifier: GPL-2.0-or-later
// What an administrator can do about a finding.
#pragma once

#include <string>
#include <vector>

namespace hwrngd {

/// One step of a remedy.
struct Advice {
	std::string what;
	std::string command = {}; ///< for a root shell of this machine; empty: done elsewhere
};

/// How to give a machine a source of randomness. `hypervisor` and `board` are those of Facts.
[[nodiscard]] std::vector<Advice> advise_source(const std::string &hypervisor,
                                                const std::string &board);

/// How to load `module` now and at every boot. `what` is what that achieves.
[[nodiscard]] Advice load_always(const std::string &module, const std::string &what);

/// How to load `module` at every boot, if it cannot be loaded now.
[[nodiscard]] Advice keep_loaded(const std::string &module);

} // namespace hwrngd
