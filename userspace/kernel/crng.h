// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's CRNG: drivers/char/random.c.
#pragma once

namespace hwrngd {

/// True if the kernel's CRNG is seeded, so that getrandom(2) does not block.
[[nodiscard]] bool crng_ready();

} // namespace hwrngd
