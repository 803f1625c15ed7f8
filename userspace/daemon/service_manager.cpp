// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/service_manager.h"

#include "base/log.h"
#include "base/unix_socket.h"

#include <sys/socket.h>

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace hwrngd {

ServiceManager::ServiceManager()
{
	const char *path = std::getenv("NOTIFY_SOCKET"); // NOLINT: nothing calls setenv
	if (path == nullptr)
		return;
	auto socket = connect_unix(path, SOCK_DGRAM);
	if (!socket) {
		log(Priority::warning, Event::restricted,
		    fmt::format("cannot connect to the service manager: {}", socket.error().message));
		return;
	}
	socket_ = std::move(*socket);
	watched_ = std::getenv("WATCHDOG_USEC") != nullptr; // NOLINT: nothing calls setenv
}

void ServiceManager::ready()
{
	if (!std::exchange(ready_, true))
		tell("READY=1");
}

void ServiceManager::status(const std::string &text)
{
	if (text == status_)
		return;
	status_ = text;
	tell("STATUS=" + text);
}

void ServiceManager::alive_for(std::chrono::milliseconds interval)
{
	if (!watched_)
		return;
	const std::chrono::microseconds limit = interval + interval / 5 + std::chrono::minutes(1);
	tell(fmt::format("WATCHDOG=1\nWATCHDOG_USEC={}", limit.count()));
}

void ServiceManager::stopping()
{
	tell("STOPPING=1");
}

void ServiceManager::tell(const std::string &message)
{
	if (!socket_)
		return;
	if (::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0)
		log(Priority::warning, Event::restricted,
		    fail_errno(errno, "cannot tell the service manager " + message).error().message);
}

} // namespace hwrngd
