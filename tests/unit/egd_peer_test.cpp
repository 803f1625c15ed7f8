// SPDX-License-Identifier: GPL-2.0-or-later
// The EGD client with servers that behave, and with servers that do not.
#include "egd/egd_peer.h"

#include "egd/conditioned_pool.h"
#include "egd/egd_server.h"
#include "fake_tree.h"
#include "scripted_server.h"
#include "sockets.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <future>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

using Bytes = std::vector<uint8_t>;

/// Limits for pulls that should succeed, and for pulls that should fail. The first may be long, for
/// a busy machine.
constexpr auto enough = 20s;
constexpr auto little = 150ms;

std::unique_ptr<Peer> peer_at(uint16_t port)
{
	return egd_peer({.tls = false, .path = "", .host = "127.0.0.1", .port = port}, plain_link);
}

Bytes pulled(Peer &peer, size_t bytes, std::chrono::milliseconds limit = enough)
{
	Bytes out(bytes);
	const auto n = peer.pull(out, limit);
	EXPECT_TRUE(n) << n.error().message;
	out.resize(n ? *n : 0);
	return out;
}
Error refused(Peer &peer, std::chrono::milliseconds limit = enough)
{
	Bytes out(512, 0xaa);
	const auto n = peer.pull(out, limit);
	EXPECT_FALSE(n) << *n << " bytes";
	EXPECT_EQ(out, Bytes(512, 0xaa)) << "no byte was stored";
	return n ? Error() : n.error();
}

/// Serves all requests, with bytes of the same value, until the client disconnects.
ScriptedServer::Script gives(uint8_t value)
{
	return [value](const Talk &talk) {
		talk.greet();
		while (const size_t n = talk.asked())
			talk.send(Bytes(n, value));
	};
}

/// Greets, and then answers only the first request, with these bytes.
ScriptedServer::Script answers(Bytes bytes)
{
	return [bytes = std::move(bytes)](const Talk &talk) {
		talk.greet();
		if (talk.asked() > 0)
			talk.send(bytes);
	};
}
ScriptedServer::Script then_waits(const ScriptedServer::Script &script)
{
	return [script](const Talk &talk) {
		script(talk);
		talk.wait_for_end();
	};
}

TEST(EgdPeer, PullsTheRequestedBytes)
{
	Bytes all(255 + 16 + 1);
	std::iota(all.begin(), all.end(), uint8_t{0});
	const ScriptedServer server({[&](const Talk &talk) {
		talk.greet();
		size_t at = 0;
		while (const size_t n = talk.asked()) {
			const auto from = all.begin() + static_cast<ptrdiff_t>(at);
			talk.send({from, from + static_cast<ptrdiff_t>(n)});
			at += n;
		}
	}});
	const auto peer = peer_at(server.port());
	auto got = pulled(*peer, 512);
	EXPECT_EQ(got.size(), 255U) << "only one request";
	for (const size_t n : {16U, 1U}) {
		const auto more = pulled(*peer, n);
		got.insert(got.end(), more.begin(), more.end());
	}
	EXPECT_EQ(got, all) << "on one connection, each byte once";
}

TEST(EgdPeer, ASilentServerIsLeftAndALateAnswerIsDiscarded)
{
	std::promise<void> hung_up;
	const ScriptedServer server({[](const Talk &talk) { talk.wait_for_end(); },
	                             [&](const Talk &talk) {
		                             talk.greet();
		                             talk.wait_for_end();
		                             talk.send(Bytes(255, 0xee));
		                             hung_up.set_value();
	                             },
	                             gives(1)});
	const auto peer = peer_at(server.port());
	const auto begin = std::chrono::steady_clock::now();
	auto error = refused(*peer, little);
	EXPECT_EQ(error.number, ETIMEDOUT);
	EXPECT_NE(error.message.find("127.0.0.1"), std::string::npos) << error.message;
	error = refused(*peer, little);
	EXPECT_EQ(error.number, ETIMEDOUT);
	EXPECT_GE(std::chrono::steady_clock::now() - begin, 2 * little);
	ASSERT_EQ(hung_up.get_future().wait_for(enough), std::future_status::ready);
	EXPECT_EQ(pulled(*peer, 10), Bytes(10, 1));
}

TEST(EgdPeer, AShortAnswerIsUsed)
{
	const ScriptedServer server(
	    {answers(Bytes(10, 1)), then_waits(answers(Bytes(20, 2))), gives(3)});
	const auto peer = peer_at(server.port());
	EXPECT_EQ(pulled(*peer, 255), Bytes(10, 1)) << "the server disconnected";
	EXPECT_EQ(pulled(*peer, 255, 1s), Bytes(20, 2)) << "the server went silent";
	EXPECT_EQ(pulled(*peer, 255), Bytes(255, 3)) << "on a new connection";
}

TEST(EgdPeer, ASlowServerGetsTheWholeLimit)
{
	const ScriptedServer server({[](const Talk &talk) {
		talk.greet();
		for (size_t n = talk.asked(); n > 0; n--) {
			std::this_thread::sleep_for(2ms);
			talk.send({7});
		}
		talk.wait_for_end();
	}});
	EXPECT_EQ(pulled(*peer_at(server.port()), 50), Bytes(50, 7));
}

TEST(EgdPeer, AServerThatSendsTooMuchIsLeft)
{
	std::promise<void> sent;
	const ScriptedServer server({then_waits(answers(Bytes(256, 1))), gives(2),
	                             [&](const Talk &talk) {
		                             answers(Bytes(255, 3))(talk);
		                             talk.send({4});
		                             sent.set_value();
		                             talk.wait_for_end();
	                             },
	                             gives(5)});
	const std::string why = "sent bytes that were not requested";
	{
		const auto peer = peer_at(server.port());
		EXPECT_NE(refused(*peer).message.find(why), std::string::npos) << "in the answer";
		EXPECT_EQ(pulled(*peer, 255), Bytes(255, 2));
	}
	const auto peer = peer_at(server.port());
	// The answer, if the surplus had not arrived yet; otherwise nothing.
	Bytes out(255);
	const auto n = peer->pull(out, enough);
	ASSERT_EQ(sent.get_future().wait_for(enough), std::future_status::ready);
	if (n) {
		EXPECT_EQ(out, Bytes(255, 3));
		EXPECT_NE(refused(*peer).message.find(why), std::string::npos) << "before a request";
	} else {
		EXPECT_NE(n.error().message.find(why), std::string::npos);
	}
	EXPECT_EQ(pulled(*peer, 255), Bytes(255, 5));
}

TEST(EgdPeer, AnotherKindOfServerIsLeft)
{
	const auto says = [](const std::string &text) {
		return [text](const Talk &talk) {
			talk.send({text.begin(), text.end()});
			talk.wait_for_end();
		};
	};
	const ScriptedServer server({says("SSH-2.0-OpenSSH_9.2\r\n"), says("220 "),
	                             [](const Talk &talk) {
		                             EXPECT_EQ(talk.next(), 0);
		                             talk.send({'n', 'o'});
	                             },
	                             gives(1)});
	const auto peer = peer_at(server.port());
	EXPECT_NE(refused(*peer).message.find("not requested"), std::string::npos);
	EXPECT_NE(refused(*peer).message.find("does not answer like an EGD server"), std::string::npos);
	EXPECT_NE(refused(*peer).message.find("does not answer like"), std::string::npos);
	EXPECT_EQ(pulled(*peer, 255), Bytes(255, 1));
}

TEST(EgdPeer, AServerThatDisconnectsIsAskedAgain)
{
	const ScriptedServer server({[](const Talk &) {}, [](const Talk &talk) { talk.greet(); },
	                             answers(Bytes(10, 1)), gives(2)});
	const auto peer = peer_at(server.port());
	EXPECT_EQ(refused(*peer).code, ExitCode::io_error);
	EXPECT_EQ(refused(*peer).code, ExitCode::io_error);
	EXPECT_EQ(pulled(*peer, 10), Bytes(10, 1)) << "the whole answer, before it disconnected";
	// Whether or not the client has noticed that by now, the next bytes use a new connection.
	Bytes out(10);
	if (!peer->pull(out, enough))
		out = pulled(*peer, 10);
	EXPECT_EQ(out, Bytes(10, 2));
}

TEST(EgdPeer, ADisconnectBetweenTwoPullsIsNotAFailure)
{
	const FakeTree tree;
	const auto path = tree.at("/egd").string();
	const auto listener = listen_unix(path, SOCK_STREAM);
	std::promise<void> closed;
	auto serving = std::async(std::launch::async, [&] {
		for (const uint8_t value : std::array<uint8_t, 2>{1, 2}) {
			const FileDescriptor fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
			answers(Bytes(10, value))(Talk(fd.get()));
			if (value == 1) {
				::shutdown(fd.get(), SHUT_RDWR);
				closed.set_value();
			}
		}
	});
	const auto peer = egd_peer({.path = path, .host = ""}, plain_link);
	EXPECT_EQ(pulled(*peer, 10), Bytes(10, 1));
	ASSERT_EQ(closed.get_future().wait_for(enough), std::future_status::ready);
	EXPECT_EQ(pulled(*peer, 10), Bytes(10, 2));
	serving.get();
}

TEST(EgdPeer, AnUnreachableServerIsNamed)
{
	uint16_t port = 0;
	{
		const ScriptedServer server({});
		port = server.port();
	}
	const auto gone = refused(*peer_at(port));
	EXPECT_EQ(gone.message, fmt::format("tcp:127.0.0.1:{}: Connection refused", port));
	const FakeTree tree;
	const auto local = tree.at("/egd").string();
	EXPECT_EQ(refused(*egd_peer({.path = local, .host = ""}, plain_link)).message,
	          fmt::format("unix:{}: No such file or directory", local));
	const std::string too_long = "/" + std::string(200, 'x');
	EXPECT_EQ(refused(*egd_peer({.path = too_long, .host = ""}, plain_link)).code, ExitCode::usage);
}

/// The server's queue is full, which looks to the client like dropped packets.
TEST(EgdPeer, AServerThatAcceptsNoConnectionIsLeftInTime)
{
	const ListenAddress any{.tls = false, .path = "", .ip = {127, 0, 0, 1}, .port = 0};
	const auto listener = open_listener(Root(), any);
	ASSERT_TRUE(listener);
	ASSERT_EQ(listen(listener->get(), 0), 0);
	struct sockaddr_in to = {};
	to.sin_family = AF_INET;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(address_of(*listener)->port);
	std::vector<FileDescriptor> others;
	for (int i = 0; i < 4; i++) {
		others.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
		// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): connect(2) requires it
		const auto *at = reinterpret_cast<const struct sockaddr *>(&to);
		[[maybe_unused]] const int under_way = connect(others.back().get(), at, sizeof to);
	}
	const auto begin = std::chrono::steady_clock::now();
	EXPECT_EQ(refused(*peer_at(address_of(*listener)->port), little).number, ETIMEDOUT);
	EXPECT_LT(std::chrono::steady_clock::now() - begin, enough);
}

/// Our own server, in a thread.
struct OwnServer {
	OwnServer()
	{
		const ListenAddress any{.tls = false, .path = "", .ip = {127, 0, 0, 1}, .port = 0};
		auto listener = open_listener(Root(), any);
		EXPECT_TRUE(listener);
		port = address_of(*listener)->port;
		EXPECT_TRUE(server.listen(std::move(*listener)));
		thread = std::thread([this] { io.run(); });
	}
	OwnServer(const OwnServer &) = delete;
	OwnServer &operator=(const OwnServer &) = delete;
	~OwnServer()
	{
		io.stop();
		thread.join();
	}
	/// Adds this many blocks of 64 bytes to the pool.
	void fill(unsigned blocks)
	{
		std::promise<void> done;
		asio::post(io, [&] {
			for (unsigned i = 0; i < blocks; i++) {
				Bytes input(128);
				std::memcpy(input.data(), &filled, sizeof filled);
				filled++;
				EXPECT_TRUE(pool.add(input, 1024));
				server.refilled();
			}
			done.set_value();
		});
		done.get_future().get();
	}

	/// How many clients the server has.
	uint64_t clients()
	{
		std::promise<uint64_t> count;
		asio::post(io, [&] { count.set_value(server.counts().clients); });
		return count.get_future().get();
	}

	asio::io_context io;
	asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
	ConditionedPool pool = *ConditionedPool::make(16384);
	uint64_t filled = 0;
	uint16_t port = 0;
	EgdServer server{
	    io, pool, {.client_rate = 0, .total_rate = 0}, {.on_change = [] {}, .mix = [](auto) {}}};
	std::thread thread;
};

TEST(EgdPeer, OurOwnServerNeverServesTheSameBytesTwice)
{
	OwnServer server;
	server.fill(250);
	std::set<Bytes> windows;
	size_t count = 0;
	for (int i = 0; i < 4; i++) {
		const auto peer = peer_at(server.port);
		for (int pull = 0; pull < 15; pull++) {
			const auto got = pulled(*peer, 512);
			ASSERT_EQ(got.size(), 255U);
			for (size_t at = 0; at + 16 <= got.size(); at++, count++)
				windows.emplace(got.begin() + static_cast<ptrdiff_t>(at),
				                got.begin() + static_cast<ptrdiff_t>(at + 16));
		}
	}
	EXPECT_EQ(windows.size(), count);
}

TEST(EgdPeer, OurOwnServerIsWaitedForWhileItIsEmpty)
{
	OwnServer server;
	const auto peer = peer_at(server.port);
	EXPECT_EQ(refused(*peer, little).number, ETIMEDOUT);
	const auto end = std::chrono::steady_clock::now() + enough;
	while (server.clients() > 0 && std::chrono::steady_clock::now() < end)
		std::this_thread::sleep_for(5ms);
	EXPECT_EQ(server.clients(), 0U) << "a client that disconnected gets nothing";
	server.fill(1);
	EXPECT_EQ(pulled(*peer, 255, 1s).size(), 64U) << "as many as there are";
	auto later = std::async(std::launch::async, [&] { return pulled(*peer, 100).size(); });
	EXPECT_EQ(later.wait_for(little), std::future_status::timeout);
	server.fill(2);
	EXPECT_EQ(later.get(), 100U);
}

} // namespace
