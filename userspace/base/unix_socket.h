// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"

#include <string>

namespace hwrngd {

/// A socket of `type` (SOCK_STREAM, ...) connected to that of unix(7) at `path`; "@" at its
/// beginning stands for the abstract names' zero byte, as in sd_notify(3). To connect, to send and
/// to receive takes 2 s at most. Fails with ExitCode::no_source where nobody listens,
/// not_permitted, io_error, or usage for what cannot be the path of a socket.
[[nodiscard]] Result<FileDescriptor> connect_unix(const std::string &path, int type);

} // namespace hwrngd
