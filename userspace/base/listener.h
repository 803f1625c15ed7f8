// SPDX-License-Identifier: GPL-2.0-or-later
// Where clients are awaited: sockets of unix(7), tcp(7), or what the service manager has opened.
#pragma once

#include "base/address.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/root.h"

#include <string>
#include <vector>

namespace hwrngd {

/// A stream socket that listens there. Of a unix socket the folder is made if need be, who was
/// there before is gone, and every user may connect; its path is below `root`. To be called while
/// there is one thread.
[[nodiscard]] Result<FileDescriptor> open_listener(const Root &root, const ListenAddress &address);

/// A listening stream socket and its name (FileDescriptorName=).
struct PassedListener {
	std::string name;
	FileDescriptor fd;
};

/// Those that the service manager has passed on, as sd_listen_fds_with_names(3). Nobody finds them
/// a second time. To be called while there is one thread.
[[nodiscard]] Result<std::vector<PassedListener>> take_passed_listeners();

/// Where a listening socket is; of one that is neither unix(7)'s nor TCP's, ExitCode::usage.
[[nodiscard]] Result<ListenAddress> address_of(const FileDescriptor &listener);

} // namespace hwrngd
