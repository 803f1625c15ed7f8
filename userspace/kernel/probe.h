// SPDX-License-Identifier: GPL-2.0-or-later
// Only one hwrng is current at a time. A probe makes the wanted one current, reads it, and then
// puts back the choice that it found.
#pragma once

#include "source/source.h"

#include <memory>
#include <optional>
#include <string>

namespace hwrngd::hwrng_probe {

/// Waits until other probes have ended, makes `name` current, opens /dev/hwrng, and discards the 64
/// bytes that the framework may still hold from another RNG. No other program of ours changes the
/// choice until the result is destroyed. close() puts back the choice that was found, unless
/// another one was made in the meantime. It also discards the bytes of the probed RNG that the
/// framework still holds. If the destructor has to do this, it prints an error that occurs.
[[nodiscard]] Result<std::unique_ptr<Source>> open(const Root &root, const std::string &name);

/// Puts back the choice that a killed probe left behind. The caller must hold HwrngSysfs::lock().
[[nodiscard]] Result<void> recover(const Root &root);

/// The hwrng that is replaced while `current` is probed ("": none); nothing if there is no probe.
[[nodiscard]] std::optional<std::string> in_place_of(const Root &root, const std::string &current);

} // namespace hwrngd::hwrng_probe
