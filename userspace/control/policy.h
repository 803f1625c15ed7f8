// SPDX-License-Identifier: GPL-2.0-or-later
// Which source, and why. Pure: inventory, configuration and health in, decisions with reasons out.
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
	std::string reason; ///< why it stands where it stands
};

/// The sources to try, best first: the hwrng in use, the other hwrngs by claim, TPM 2.0 through its
/// resource manager, generators and commands, CPU instructions, jitter; behind them what claims
/// nothing. With `wanted` that source alone. What is absent is no candidate. Errors:
/// ExitCode::no_source, with the names there are, if it is unknown or there is none at all, and
/// with the reason if it is absent.
[[nodiscard]] Result<std::vector<Candidate>> rank(const Inventory &inventory,
                                                  const std::optional<std::string> &wanted);

/// What is to be done with a source.
enum class Use : uint8_t {
	read,  ///< by every feed
	probe, ///< a hwrng that is not current: made current for a short while, now and then
	ignore,
};

[[nodiscard]] const char *name(Use use);

struct SourceDecision {
	SourceInfo source;
	Use use = Use::ignore;
	std::string reason;
};

struct Decision {
	std::vector<SourceDecision> sources; ///< all of the inventory's, in its order
	std::optional<std::string> select;   ///< the hwrng to make current; none: nothing to change
	std::string reason;                  ///< why that one, or why nothing changes
};

/// What the daemon should do. `states`: of the sources it knows; `chosen`: the hwrng that it has
/// made current last, if any.
[[nodiscard]] Decision decide(const Inventory &inventory, const Config &config,
                              const std::map<std::string, SourceState> &states,
                              const std::optional<std::string> &chosen);

/// Why the kernel should not be switched to hwrng `name` now, or nothing.
[[nodiscard]] std::optional<std::string> switching_danger(const HwrngState &state,
                                                          const std::string &name);

} // namespace hwrngd
