// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/unix_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace hwrngd {

Result<FileDescriptor> connect_unix(const std::string &path, int type)
{
	struct sockaddr_un address = {};
	address.sun_family = AF_UNIX;
	if (path.empty() || path.size() >= sizeof address.sun_path)
		return fail(ExitCode::usage, fmt::format("\"{}\": not a valid socket path", path));
	std::memcpy(&address.sun_path[0], path.data(), path.size());
	size_t size = sizeof address;
	if (path.front() == '@') {
		address.sun_path[0] = '\0';
		size = offsetof(struct sockaddr_un, sun_path) + path.size();
	}
	FileDescriptor fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
	if (!fd)
		return fail_errno(errno, "socket");
	constexpr struct timeval patience = {.tv_sec = 2, .tv_usec = 0};
	for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) // SO_SNDTIMEO also limits connect(2)
		if (setsockopt(fd.get(), SOL_SOCKET, option, &patience, sizeof patience) < 0)
			return fail_errno(errno, "setsockopt");
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): connect(2) requires it
	const auto *to = reinterpret_cast<const struct sockaddr *>(&address);
	if (::connect(fd.get(), to, static_cast<socklen_t>(size)) == 0)
		return fd;
	auto failed = fail_errno(errno, path);
	if (failed.error().number == ECONNREFUSED || failed.error().number == ENOENT)
		failed.error().code = ExitCode::no_source;
	return failed;
}

} // namespace hwrngd
