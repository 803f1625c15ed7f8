// SPDX-License-Identifier: GPL-2.0-or-later
// The EGD server and clients on real sockets, in one thread. The server's event loop runs while the
// clients wait.
#pragma once

#include "egd/egd_server.h"

#include "fake_tree.h"
#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace hwrngd::test {

using namespace std::chrono_literals;

using Bytes = std::vector<uint8_t>;

class Peer {
public:
	explicit Peer(FileDescriptor fd) : fd_(std::move(fd)) {}

	void send(const Bytes &bytes) const
	{
		ASSERT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT),
		          static_cast<ssize_t>(bytes.size()));
	}
	/// All bytes that have arrived so far.
	Bytes received()
	{
		std::array<uint8_t, 4096> some{};
		ssize_t n = 0;
		while ((n = ::recv(fd_.get(), some.data(), some.size(), MSG_DONTWAIT)) > 0)
			got_.insert(got_.end(), some.begin(), some.begin() + n);
		over_ = over_ || n == 0 || errno == ECONNRESET;
		return got_;
	}
	[[nodiscard]] bool over()
	{
		[[maybe_unused]] const auto bytes = received();
		return over_;
	}
	void forget() { got_.clear(); }
	void hang_up() { fd_ = FileDescriptor(); }
	void end() const { ::shutdown(fd_.get(), SHUT_WR); }

private:
	FileDescriptor fd_;
	Bytes got_;
	bool over_ = false;
};

struct EgdMachine {
	explicit EgdMachine(const EgdServer::Limits &limits = {.client_rate = 0, .total_rate = 0},
	                    LinkTo link_to = plain_link)
	    : server(
	          io, pool, limits,
	          {.on_change = [this] { changes++; },
	           .mix =
	               [this](auto bytes) { mixed.insert(mixed.end(), bytes.begin(), bytes.end()); }})
	{
		auto socket = listen_unix(path, SOCK_STREAM);
		EXPECT_EQ(::listen(socket.get(), 128), 0);
		EXPECT_TRUE(server.listen(std::move(socket), std::move(link_to)));
	}

	/// Adds this many blocks of 64 bytes to the pool.
	void fill(unsigned blocks)
	{
		for (unsigned i = 0; i < blocks; i++) {
			Bytes input(128);
			std::memcpy(input.data(), &filled, sizeof filled);
			filled++;
			ASSERT_TRUE(pool.add(input, 1024));
			server.refilled();
		}
	}
	/// Connects. The server's event loop need not run for that.
	[[nodiscard]] Peer connect() const { return Peer(connect_socket()); }
	[[nodiscard]] FileDescriptor connect_socket() const
	{
		struct sockaddr_un address = {};
		address.sun_family = AF_UNIX;
		std::ranges::copy(path, &address.sun_path[0]);
		FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
		// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): connect(2) requires it
		const auto *at = reinterpret_cast<const struct sockaddr *>(&address);
		EXPECT_EQ(::connect(fd.get(), at, sizeof address), 0);
		return fd;
	}
	/// Runs the event loop until `good` returns true, for at most 5 s.
	bool until(const std::function<bool()> &good)
	{
		const auto end = std::chrono::steady_clock::now() + 5s;
		while (!good()) {
			if (std::chrono::steady_clock::now() > end)
				return false;
			io.restart();
			io.run_one_for(5ms);
		}
		return true;
	}
	/// Runs the event loop for a time in which nothing should happen.
	void rest(std::chrono::milliseconds time = 60ms)
	{
		io.restart();
		io.run_for(time);
	}
	bool gets(Peer &peer, size_t bytes)
	{
		return until([&] { return peer.received().size() >= bytes; }) &&
		       peer.received().size() == bytes;
	}

	FakeTree tree;
	std::string path = tree.at("/egd").string();
	asio::io_context io;
	ConditionedPool pool = *ConditionedPool::make(4096);
	Bytes mixed;
	unsigned changes = 0;
	uint64_t filled = 0;
	EgdServer server;
};

/// Listens on a port of 127.0.0.1.
[[nodiscard]] inline FileDescriptor listen_tcp()
{
	FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	struct sockaddr_in at = {};
	at.sin_family = AF_INET;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as bind(2) wants it
	EXPECT_EQ(bind(listener.get(), reinterpret_cast<struct sockaddr *>(&at), sizeof at), 0);
	EXPECT_EQ(listen(listener.get(), 128), 0);
	return listener;
}

[[nodiscard]] inline Peer connect_tcp(struct sockaddr_in to, const char *from)
{
	FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	struct sockaddr_in at = {};
	at.sin_family = AF_INET;
	EXPECT_EQ(inet_pton(AF_INET, from, &at.sin_addr), 1);
	// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): as bind(2) wants it
	EXPECT_EQ(bind(fd.get(), reinterpret_cast<struct sockaddr *>(&at), sizeof at), 0);
	EXPECT_EQ(connect(fd.get(), reinterpret_cast<struct sockaddr *>(&to), sizeof to), 0);
	// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
	return Peer(std::move(fd));
}

} // namespace hwrngd::test
