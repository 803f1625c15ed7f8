// SPDX-License-Identifier: GPL-2.0-or-later
// What our modules say in sysfs about their sources; see kmod/ABI.txt.
#pragma once

#include "base/root.h"

#include <string>
#include <string_view>
#include <vector>

namespace hwrngd {

/// A source of a module of ours. It has a state even while the framework does not list it.
struct ModuleSource {
	std::string name;  ///< "tpm_rng.0"
	std::string state; ///< "start-up", "healthy", "failed", "back-off", ...
	std::string file;  ///< that shows the state

	/// Is it about to be registered, if its test goes well?
	[[nodiscard]] bool is_tested() const { return state == "start-up" || state == "healthy"; }
	/// Its module has given it up.
	[[nodiscard]] bool withdrawn() const { return state == "withdrawn"; }
};

/// The module's sources, sorted by name. Empty if it is not loaded.
[[nodiscard]] std::vector<ModuleSource> module_sources(const Root &root, std::string_view module);

/// What the state of a source that the framework does not list means, and what to do about it.
[[nodiscard]] std::string why_unregistered(const ModuleSource &source);

/// The command that makes the module test a withdrawn source again.
[[nodiscard]] std::string test_again(const ModuleSource &source);

} // namespace hwrngd
