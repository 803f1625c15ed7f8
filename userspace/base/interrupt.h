// SPDX-License-Identifier: GPL-2.0-or-later
// SIGINT, SIGTERM and SIGHUP end long work cleanly: the program first undoes what it changed.
#pragma once

#include "base/error.h"

namespace hwrngd {

/// Catches SIGINT, SIGTERM and SIGHUP from now on, except those that are ignored (as under nohup).
[[nodiscard]] Result<void> catch_interrupts();

/// The number of the caught signal, or 0 if none was caught.
[[nodiscard]] int interrupted() noexcept;

/// Acts as if signal `number` had been caught: threads that wait for a read stop waiting. 0 resets
/// this.
void interrupt_reads(int number) noexcept;

/// Ends the process by the caught signal, so that the shell that started it sees the real cause.
[[noreturn]] void die_of_interrupt();

} // namespace hwrngd
