// SPDX-License-Identifier: GPL-2.0-or-later
// Decides how each source is used, and why. Pure functions of inventory, configuration and health.
#pragma once

#include "base/error.h"
#include "control/config.h"
#include "control/inventory.h"
#include "health/lifecycle.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

struct Candidate {
	SourceInfo source;
	std::string reason; ///< why it is a candidate
};

/// The sources to try, best first: the hwrng in use, the other hwrngs by claim, TPM 2.0 through its
/// resource manager, generators, commands and other machines, CPU instructions, jitter. Sources
/// that claim nothing, or whose claim does not count by `config`, come last. Absent ones are left
/// out. With `wanted`, only that source.
/// Errors: ExitCode::no_source if there is no source, if `wanted` is unknown (with the names of all
/// sources), or if it is absent (with the reason).
[[nodiscard]] Result<std::vector<Candidate>> rank(const Inventory &inventory,
                                                  const std::optional<std::string> &wanted,
                                                  const Config &config = {});

/// How a source is used.
enum class Use : uint8_t {
	read,  ///< read by every feed
	probe, ///< a hwrng that is not current: regularly made current for a moment, and read
	ignore,
};

[[nodiscard]] const char *name(Use use);

struct SourceDecision {
	SourceInfo source;
	Use use = Use::ignore;
	std::string reason;
};

struct Decision {
	std::vector<SourceDecision> sources; ///< all sources of the inventory, in its order
	std::optional<std::string> select;   ///< the hwrng to make current; none: no change
	std::string reason;                  ///< why this hwrng, or why there is no change
};

/// What the daemon must do. `states`: the states of the sources that it knows. `chosen`: the hwrng
/// that it made current last, if any.
[[nodiscard]] Decision decide(const Inventory &inventory, const Config &config,
                              const std::map<std::string, SourceState> &states,
                              const std::optional<std::string> &chosen);

/// Why it is dangerous to switch the kernel to hwrng `name` now, or nothing.
[[nodiscard]] std::optional<std::string> switching_danger(const HwrngState &state,
                                                          const std::string &name);

} // namespace hwrngd
