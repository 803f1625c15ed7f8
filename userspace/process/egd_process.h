// SPDX-License-Identifier: GPL-2.0-or-later
// The process that talks to EGD clients is a program of its own, hwrngd-egd, without any rights.
// Its parent is a process that only waits for it, and starts it again if it dies.
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

/// The descriptors that the server gets.
struct EgdSockets {
	std::vector<FileDescriptor> listeners;
	/// The kind of each listener: 'p', plain; 't', TLS; 'n', clients are disconnected.
	std::string kinds;
	/// For TLS: the files of the certificate, the key, and the clients' authorities.
	std::vector<FileDescriptor> files;
};

/// Starts `program` as `user` for clients of these listeners. Returns the connection to it
/// (egd/egd_messages.h); when that is closed, the server and its parent end. Must be called while
/// there is only one thread, which must have the right to become `user`.
[[nodiscard]] Result<FileDescriptor> start_egd_server(const std::filesystem::path &program,
                                                      const EgdConfig &config, EgdSockets sockets,
                                                      const std::optional<User> &user);

} // namespace hwrngd
