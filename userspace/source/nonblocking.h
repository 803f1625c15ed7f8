// SPDX-License-Identifier: GPL-2.0-or-later
// Reading what may be silent for ever, without losing a thread to it.
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

namespace hwrngd {

/// What the end of what is read means.
enum class AtEnd : uint8_t {
	is_told, ///< as 0 bytes
	waits,   ///< nothing, yet: a file may grow
};

/// read(2) of a descriptor with O_NONBLOCK, once there is something: 1 to out.size() bytes, or 0 at
/// its end, if that is to be told. Fails as fail_stalled() when there is nothing until `end`, which
/// is `limit` after the beginning, and with EINTR when the process caught a signal. `name` is for
/// errors.
[[nodiscard]] Result<size_t> read_until(const std::string &name, int fd, std::span<uint8_t> out,
                                        std::chrono::milliseconds limit,
                                        std::chrono::steady_clock::time_point end,
                                        AtEnd at_end = AtEnd::is_told);

} // namespace hwrngd
