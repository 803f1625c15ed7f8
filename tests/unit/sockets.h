// SPDX-License-Identifier: GPL-2.0-or-later
// Listening unix(7) sockets for tests of clients.
#pragma once

#include "base/file_descriptor.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace hwrngd::test {

/// A socket of `type` that is bound to `path`, and listens if its type allows that.
[[nodiscard]] inline FileDescriptor listen_unix(const std::string &path, int type)
{
	struct sockaddr_un address = {};
	address.sun_family = AF_UNIX;
	if (path.size() >= sizeof address.sun_path)
		throw std::runtime_error(path + " is too long");
	std::ranges::copy(path, &address.sun_path[0]);
	FileDescriptor fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) requires it
	const auto *at = reinterpret_cast<const struct sockaddr *>(&address);
	if (!fd || bind(fd.get(), at, sizeof address) < 0 ||
	    (type != SOCK_DGRAM && listen(fd.get(), 1) < 0))
		throw std::runtime_error(path);
	return fd;
}

} // namespace hwrngd::test
