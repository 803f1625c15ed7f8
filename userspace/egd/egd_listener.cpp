// SPDX-License-Identifier: GPL-2.0-or-later
#include "egd/egd_listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

// Pause after a failure that would occur again at once, such as too many open descriptors.
constexpr std::chrono::milliseconds accept_pause = 1s;
// Pause after a refusal: the client may try again at once, and must not take the time of others.
constexpr std::chrono::milliseconds refused_pause = 5ms;
// Maximum number of clients that are accepted in a row.
constexpr int accepts_at_once = 16;

} // namespace

std::string client_address(int socket)
{
	struct sockaddr_storage address = {};
	socklen_t size = sizeof address;
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as getpeername(2) wants it
	if (getpeername(socket, reinterpret_cast<struct sockaddr *>(&address), &size) < 0)
		return "gone";
	if (address.ss_family == AF_INET) {
		struct sockaddr_in v4 = {};
		std::memcpy(&v4, &address, sizeof v4);
		return "4" + std::to_string(v4.sin_addr.s_addr);
	}
	if (address.ss_family == AF_INET6) {
		struct sockaddr_in6 v6 = {};
		std::memcpy(&v6, &address, sizeof v6);
		std::string bytes(sizeof v6.sin6_addr, '\0');
		std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
		constexpr size_t network = 8;
		// A mapped IPv4 address counts as a whole: all of IPv4 is in one /64.
		return "6" + (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) ? bytes : bytes.substr(0, network));
	}
	struct ucred user = {};
	size = sizeof user;
	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &user, &size) < 0)
		return "gone";
	return "u" + std::to_string(user.uid);
}

EgdListener::EgdListener(asio::io_context &io, Welcome welcome)
    : socket_(io), pause_(io), welcome_(std::move(welcome))
{
}

Result<std::unique_ptr<EgdListener>> EgdListener::open(asio::io_context &io, FileDescriptor socket,
                                                       Welcome welcome)
{
	const int flags = fcntl(socket.get(), F_GETFL);
	if (flags < 0 || fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) < 0)
		return fail_errno(errno, "fcntl");
	std::unique_ptr<EgdListener> listener(new EgdListener(io, std::move(welcome)));
	asio::error_code error;
	if (listener->socket_.assign(socket.get(), error))
		return fail_errno(error.value(), "a listening socket");
	[[maybe_unused]] const int owned = socket.release(); // the listener owns it
	listener->wait();
	return listener;
}

void EgdListener::wait()
{
	socket_.async_wait(asio::posix::stream_descriptor::wait_read,
	                   [this](const asio::error_code &error) {
		                   if (!error)
			                   accept();
	                   });
}

void EgdListener::pause(std::chrono::milliseconds time)
{
	pause_.expires_after(time);
	pause_.async_wait([this](const asio::error_code &error) {
		if (!error)
			wait();
	});
}

void EgdListener::accept()
{
	bool refused = false;
	for (int i = 0; i < accepts_at_once; i++) {
		FileDescriptor socket(
		    ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
		if (socket) {
			refused = !welcome_(std::move(socket)) || refused;
		} else if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) {
			break;
		} else {
			pause(accept_pause);
			return;
		}
	}
	if (refused)
		pause(refused_pause);
	else
		wait();
}

} // namespace hwrngd
