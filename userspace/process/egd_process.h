// SPDX-License-Identifier: GPL-2.0-or-later
// The process that speaks with strangers: a program of its own, hwrngd-egd, without any right. It
// is started by a process that does nothing but wait for it, and starts it again should it die.
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/privileges.h"
#include "control/config.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

/// What the server has to work with.
struct EgdSockets {
	std::vector<FileDescriptor> listeners;
	/// Of each: 'p', plain; 't', TLS; 'n', nobody is served there, and who comes is hung up on.
	std::string kinds;
	/// If there is TLS: the certificate, the key, and the clients' authorities, to be read.
	std::vector<FileDescriptor> files;
};

/// Starts `program` as `user` for clients of these listeners, and returns the connection to it
/// (egd/egd_messages.h); when that is closed, all of it ends. To be called while there is one
/// thread, which may become `user`.
[[nodiscard]] Result<FileDescriptor> start_egd_server(const std::filesystem::path &program,
                                                      const EgdConfig &config, EgdSockets sockets,
                                                      const std::optional<User> &user);

} // namespace hwrngd
