// SPDX-License-Identifier: GPL-2.0-or-later
// A server that handles one connection after the other, each with a script of the test.
#pragma once

#include "base/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace hwrngd::test {

/// The server's side of a connection.
class Talk {
public:
	explicit Talk(int fd) : fd_(fd) {}

	void send(const std::vector<uint8_t> &bytes) const
	{
		// Whether the client receives it does not matter here.
		[[maybe_unused]] const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
	}
	/// The next byte; -1 if the client has disconnected.
	[[nodiscard]] int next() const
	{
		uint8_t byte = 0;
		return ::recv(fd_, &byte, 1, 0) == 1 ? byte : -1;
	}
	/// Answers a 00 like a server that has 1024 bits.
	void greet() const
	{
		if (next() == 0)
			send({0, 0, 4, 0});
	}
	/// The number of bytes that the next 02 requests; 0 if the client has disconnected instead.
	[[nodiscard]] size_t asked() const
	{
		const int command = next();
		const int count = next();
		return command == 2 && count > 0 ? static_cast<size_t>(count) : 0;
	}
	/// Waits until the client has disconnected.
	void wait_for_end() const
	{
		while (next() >= 0)
			;
	}

private:
	int fd_;
};

/// Listens on a port of 127.0.0.1, and runs the scripts in a thread of its own.
class ScriptedServer {
public:
	using Script = std::function<void(const Talk &)>;

	explicit ScriptedServer(std::vector<Script> scripts)
	    : listener_(listen()), port_(address_of(listener_)->port),
	      thread_([this, scripts = std::move(scripts)] {
		      for (const auto &script : scripts) {
			      const FileDescriptor fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
			      if (!fd)
				      return;       // the test is over
			      const int on = 1; // sent bytes go out at once
			      setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			      script(Talk(fd.get()));
		      }
	      })
	{
	}
	ScriptedServer(const ScriptedServer &) = delete;
	ScriptedServer &operator=(const ScriptedServer &) = delete;
	~ScriptedServer()
	{
		::shutdown(listener_.get(), SHUT_RDWR);
		thread_.join();
	}

	[[nodiscard]] uint16_t port() const { return port_; }

private:
	[[nodiscard]] static FileDescriptor listen()
	{
		const ListenAddress any{.tls = false, .path = "", .ip = {127, 0, 0, 1}, .port = 0};
		auto listener = open_listener(Root(), any);
		if (!listener || fcntl(listener->get(), F_SETFL, 0) < 0)
			throw std::runtime_error("there is no 127.0.0.1");
		return std::move(*listener);
	}

	FileDescriptor listener_;
	uint16_t port_;
	std::thread thread_;
};

} // namespace hwrngd::test
