// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"

#include <string>

namespace hwrngd {

/// Connects a socket of `type` (such as SOCK_STREAM) to the unix(7) socket at `path`. A leading "@"
/// stands for the zero byte of an abstract name, as in sd_notify(3). Connecting, sending and
/// receiving time out after 2 s. Fails with ExitCode::no_source if no process listens there, with
/// ExitCode::usage if `path` is not a valid socket path, or with not_permitted or io_error.
[[nodiscard]] Result<FileDescriptor> connect_unix(const std::string &path, int type);

} // namespace hwrngd
