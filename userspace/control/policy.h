// SPDX-License-Identifier: GPL-2.0-or-later
// Which source, and why. Pure: an inventory in, decisions with reasons out.
#pragma once

#include "control/inventory.h"
#include "error.h"

#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

struct Candidate {
	SourceInfo source;
	std::string reason; ///< why it stands where it stands
};

/// The sources to try, best first: the hwrng in use, the other hwrngs by claim, TPM 2.0 through its
/// resource manager, CPU instructions. With `wanted` that source alone. Errors:
/// ExitCode::no_source, with the names there are, if it is unknown or there is none at all.
[[nodiscard]] Result<std::vector<Candidate>> rank(const Inventory &inventory,
                                                  const std::optional<std::string> &wanted);

/// Why the kernel should not be switched to hwrng `name` now, or nothing.
[[nodiscard]] std::optional<std::string> switching_danger(const HwrngState &state,
                                                          const std::string &name);

} // namespace hwrngd
