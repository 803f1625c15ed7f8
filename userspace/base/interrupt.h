// SPDX-License-Identifier: GPL-2.0-or-later
// SIGINT, SIGTERM and SIGHUP end long work in order: what was changed is put back first.
#pragma once

#include "base/error.h"

namespace hwrngd {

/// Catches SIGINT, SIGTERM and SIGHUP from now on (unless they are ignored, as under nohup).
[[nodiscard]] Result<void> catch_interrupts();

/// The number of the signal that was caught, or 0.
[[nodiscard]] int interrupted() noexcept;

/// As if signal `number` had been caught: whoever waits in a read lets go of it. 0 takes it back.
void interrupt_reads(int number) noexcept;

/// Ends the process by the signal that was caught, so that the caller's shell sees the truth.
[[noreturn]] void die_of_interrupt();

} // namespace hwrngd
