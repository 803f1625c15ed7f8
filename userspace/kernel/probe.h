// SPDX-License-Identifier: GPL-2.0-or-later
// One hwrng is current at a time. To read a certain one it is made current, read, and the choice
// that was found is put back.
#pragma once

#include "source/source.h"

#include <memory>
#include <optional>
#include <string>

namespace hwrngd::hwrng_probe {

/// Waits for other probes to end, makes `name` current if it is not, opens /dev/hwrng and discards
/// the 64 bytes that the framework may still hold from another RNG. No other program of ours
/// changes the choice while the result lives. Its close() puts back the choice that was found,
/// unless somebody made another meanwhile, and discards the probed RNG's bytes that the framework
/// still holds; if only the destructor does so, an error is printed.
[[nodiscard]] Result<std::unique_ptr<Source>> open(const Root &root, const std::string &name);

/// Puts back what a process left that was killed during a probe. The caller holds
/// HwrngSysfs::lock().
[[nodiscard]] Result<void> recover(const Root &root);

/// The hwrng that was in use before `current` was probed ("": none); nothing if it is not probed.
[[nodiscard]] std::optional<std::string> in_place_of(const Root &root, const std::string &current);

} // namespace hwrngd::hwrng_probe
