// SPDX-License-Identifier: GPL-2.0-or-later
// Reads from a descriptor that may never have data, without blocking a thread.
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

namespace hwrngd {

/// What read_until() does at the end of a file.
enum class AtEnd : uint8_t {
	reported, ///< returns 0
	waits,    ///< waits for more data: the file may grow
};

/// Waits for data on a descriptor with O_NONBLOCK and reads it. Returns 1 to out.size(), or 0 at
/// the end of the file with AtEnd::reported. Fails like fail_stalled() if no data comes until
/// `end`, and with EINTR if the process caught a signal. `limit` is the time that the caller gave;
/// error messages contain it and `name`.
[[nodiscard]] Result<size_t> read_until(const std::string &name, int fd, std::span<uint8_t> out,
                                        std::chrono::milliseconds limit,
                                        std::chrono::steady_clock::time_point end,
                                        AtEnd at_end = AtEnd::reported);

} // namespace hwrngd
