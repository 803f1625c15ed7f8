// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/listener.h"

#include "base/number.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

namespace hwrngd {

namespace {

constexpr int backlog = 1024;
// SD_LISTEN_FDS_START of sd_listen_fds(3).
constexpr int first_passed = 3;

/// An address in the form that bind(2) takes.
struct SocketAddress {
	struct sockaddr_storage storage = {};
	socklen_t size = 0;

	template <typename Kind> void set(const Kind &kind)
	{
		std::memcpy(&storage, &kind, sizeof kind);
		size = sizeof kind;
	}
	template <typename Kind> [[nodiscard]] Kind as() const
	{
		Kind kind = {};
		std::memcpy(&kind, &storage, sizeof kind);
		return kind;
	}
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
	[[nodiscard]] struct sockaddr *get() { return reinterpret_cast<struct sockaddr *>(&storage); }
};

Result<SocketAddress> socket_address(const Root &root, const ListenAddress &address)
{
	SocketAddress to;
	if (address.ip.size() == sizeof(struct in_addr)) {
		struct sockaddr_in v4 = {};
		v4.sin_family = AF_INET;
		v4.sin_port = htons(address.port);
		std::memcpy(&v4.sin_addr, address.ip.data(), sizeof v4.sin_addr);
		to.set(v4);
		return to;
	}
	if (!address.ip.empty()) {
		struct sockaddr_in6 v6 = {};
		v6.sin6_family = AF_INET6;
		v6.sin6_port = htons(address.port);
		std::memcpy(&v6.sin6_addr, address.ip.data(), sizeof v6.sin6_addr);
		to.set(v6);
		return to;
	}
	struct sockaddr_un local = {};
	local.sun_family = AF_UNIX;
	const auto path = root.at(address.path).string();
	if (path.size() >= sizeof local.sun_path)
		return fail(ExitCode::usage,
		            fmt::format("{}: too long for a socket path; the limit is {} bytes", path,
		                        sizeof local.sun_path - 1));
	std::ranges::copy(path, &local.sun_path[0]);
	to.set(local);
	return to;
}

/// Binds a unix socket that every user may connect to. A chmod(2) after bind(2) would be unsafe:
/// the owner of the folder could replace the socket by a link in between.
[[nodiscard]] int bind_for_all(int socket, SocketAddress &to)
{
	constexpr mode_t without_execution = 0111;
	const mode_t before = umask(without_execution);
	const int result = ::bind(socket, to.get(), to.size);
	const int error = errno;
	umask(before);
	errno = error;
	return result;
}

} // namespace

Result<FileDescriptor> open_listener(const Root &root, const ListenAddress &address)
{
	auto to = socket_address(root, address);
	if (!to)
		return std::unexpected(to.error());
	const auto failed = [&](int number) { return fail_errno(number, text_of(address)); };
	FileDescriptor fd(
	    ::socket(to->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (!fd)
		return failed(errno);
	int result = 0;
	if (!address.path.empty()) {
		const auto path = root.at(address.path);
		std::error_code error;
		std::filesystem::create_directories(path.parent_path(), error);
		if (error)
			return failed(error.value());
		if (::unlink(path.c_str()) < 0 && errno != ENOENT)
			return failed(errno);
		result = bind_for_all(fd.get(), *to);
	} else {
		// Connections of an earlier process must not block the address, and an IPv6 socket must
		// not take the IPv4 port.
		const int on = 1;
		const bool v6 = to->storage.ss_family == AF_INET6;
		if (setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
		    (v6 && setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0))
			return failed(errno);
		result = ::bind(fd.get(), to->get(), to->size);
	}
	if (result < 0 || ::listen(fd.get(), backlog) < 0)
		return failed(errno);
	return fd;
}

Result<std::vector<PassedListener>> take_passed_listeners()
{
	const auto variable = [](const char *key) {
		const char *value = std::getenv(key); // NOLINT: no other thread sets it
		return std::string(value == nullptr ? "" : value);
	};
	std::vector<PassedListener> found;
	const auto count = parse_number<int>(variable("LISTEN_FDS"));
	if (parse_number<pid_t>(variable("LISTEN_PID")) != getpid() || !count)
		return found;
	std::istringstream names(variable("LISTEN_FDNAMES"));
	for (const char *key : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
		unsetenv(key); // NOLINT: there is only one thread
	for (int i = 0; i < *count; i++) {
		FileDescriptor fd(first_passed + i);
		std::string name;
		std::getline(names, name, ':');
		if (fcntl(fd.get(), F_SETFD, FD_CLOEXEC) < 0)
			return fail_errno(errno, "a socket passed by the service manager");
		int listens = 0;
		socklen_t size = sizeof listens;
		if (getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || listens == 0)
			return fail(ExitCode::usage, "a socket passed by the service manager does not listen: "
			                             "its unit needs ListenStream= and Accept=no");
		found.push_back({.name = std::move(name), .fd = std::move(fd)});
	}
	return found;
}

Result<ListenAddress> address_of(const FileDescriptor &listener)
{
	SocketAddress at;
	at.size = sizeof at.storage;
	if (getsockname(listener.get(), at.get(), &at.size) < 0)
		return fail_errno(errno, "getsockname");
	ListenAddress address;
	const auto set_ip = [&](const auto &ip, in_port_t port) {
		address.ip.resize(sizeof ip);
		std::memcpy(address.ip.data(), &ip, sizeof ip);
		address.port = ntohs(port);
	};
	if (at.storage.ss_family == AF_INET) {
		const auto v4 = at.as<struct sockaddr_in>();
		set_ip(v4.sin_addr, v4.sin_port);
	} else if (at.storage.ss_family == AF_INET6) {
		const auto v6 = at.as<struct sockaddr_in6>();
		set_ip(v6.sin6_addr, v6.sin6_port);
	} else if (at.storage.ss_family == AF_UNIX) {
		// A socket with an abstract name has no path, and is local too.
		const auto local = at.as<struct sockaddr_un>();
		address.path = &local.sun_path[0];
		if (address.path.empty())
			address.path = "@";
	} else {
		return fail(ExitCode::usage, "a listening socket is neither a unix nor a TCP socket");
	}
	return address;
}

} // namespace hwrngd
