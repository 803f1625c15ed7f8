// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's CRNG: drivers/char/random.c.
#pragma once

namespace hwrngd {

/// True when the kernel's CRNG is seeded: getrandom(2) no longer waits.
[[nodiscard]] bool crng_ready();

} // namespace hwrngd
