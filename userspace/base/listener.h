// SPDX-License-Identifier: GPL-2.0-or-later
// Listening sockets: unix(7), tcp(7), or opened by the service manager.
#pragma once

#include "base/address.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/root.h"

#include <string>
#include <vector>

namespace hwrngd {

/// A stream socket that listens on `address`. A unix socket is created below `root`, with its
/// folder if that is missing; it replaces an existing file, and every user may connect to it. Call
/// it while there is only one thread.
[[nodiscard]] Result<FileDescriptor> open_listener(const Root &root, const ListenAddress &address);

/// A listening stream socket and its name (FileDescriptorName=).
struct PassedListener {
	std::string name;
	FileDescriptor fd;
};

/// The sockets that the service manager passed to this process, see sd_listen_fds_with_names(3).
/// A second call returns none. Call it while there is only one thread.
[[nodiscard]] Result<std::vector<PassedListener>> take_passed_listeners();

/// The address of a listening socket. Fails with ExitCode::usage if it is neither a unix(7) nor a
/// TCP socket.
[[nodiscard]] Result<ListenAddress> address_of(const FileDescriptor &listener);

} // namespace hwrngd
