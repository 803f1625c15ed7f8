// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/crng.h"

#include <sys/random.h>

#include <cstdint>

namespace hwrngd {

bool crng_ready()
{
	uint8_t byte = 0;
	return getrandom(&byte, sizeof byte, GRND_NONBLOCK) == sizeof byte;
}

} // namespace hwrngd
