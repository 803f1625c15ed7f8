// SPDX-License-Identifier: GPL-2.0-or-later
// The process that speaks with strangers: a program of its own, hwrngd-egd, without any right. It
// is started by a process that does nothing but wait for it, and starts it again should it die.
#pragma once

#include "config.h"
#include "control/privileges.h"
#include "error.h"
#include "file_descriptor.h"

#include <filesystem>
#include <optional>
#include <vector>

namespace hwrngd {

/// Starts `program` as `user` for clients of these listeners, and returns the connection to it
/// (serve/egd_messages.h); when that is closed, all of it ends. To be called while there is one
/// thread, which may become `user`.
[[nodiscard]] Result<FileDescriptor> start_egd_server(const std::filesystem::path &program,
                                                      const EgdConfig &config,
                                                      std::vector<FileDescriptor> listeners,
                                                      const std::optional<User> &user);

} // namespace hwrngd
