// SPDX-License-Identifier: GPL-2.0-or-later
#include "egd/egd_server.h"

#include "egd_machine.h"

#include <netinet/in.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

TEST(EgdServer, AllFiveCommands)
{
	EgdMachine machine;
	machine.fill(2);
	auto peer = machine.connect();
	peer.send({0});
	ASSERT_TRUE(machine.gets(peer, 4));
	EXPECT_EQ(peer.received(), (Bytes{0, 0, 4, 0}));
	peer.forget();
	peer.send({1, 16});
	ASSERT_TRUE(machine.gets(peer, 17));
	EXPECT_EQ(peer.received().front(), 16);
	peer.forget();
	peer.send({2, 16});
	ASSERT_TRUE(machine.gets(peer, 16));
	peer.forget();
	peer.send({3, 0, 0, 3, 'a', 'b', 'c', 4});
	const auto pid = std::to_string(getpid());
	ASSERT_TRUE(machine.gets(peer, 1 + pid.size()));
	EXPECT_EQ(machine.mixed, (Bytes{'a', 'b', 'c'}));
	EXPECT_EQ(peer.received().front(), pid.size());
	EXPECT_EQ(machine.server.counts().served, 32U);
	EXPECT_EQ(machine.server.counts().mixed, 3U);
	EXPECT_EQ(machine.changes, 4U) << "a new client, two reads and a write";
	peer.forget();
	peer.send({1, 255});
	ASSERT_TRUE(machine.gets(peer, 97));
	EXPECT_EQ(peer.received().front(), 96) << "as many as there are";
	peer.send({5});
	EXPECT_TRUE(machine.until([&] { return peer.over(); }));
	EXPECT_EQ(machine.server.counts().clients, 0U);
}

TEST(EgdServer, AnEmptyPoolGivesAnEmptyAnswer)
{
	EgdMachine machine;
	auto peer = machine.connect();
	peer.send({0, 1, 200});
	ASSERT_TRUE(machine.gets(peer, 5));
	EXPECT_EQ(peer.received(), Bytes(5));
	peer.send({2, 100});
	machine.rest();
	EXPECT_EQ(peer.received().size(), 5U);
	machine.fill(1);
	EXPECT_TRUE(machine.gets(peer, 69)) << "as they become available";
	machine.fill(1);
	EXPECT_TRUE(machine.gets(peer, 105));
	peer.send({0});
	EXPECT_TRUE(machine.gets(peer, 109)) << "the next answer is in its place";
}

TEST(EgdServer, ABlockingClientStarvesNoOther)
{
	EgdMachine machine;
	std::vector<Peer> greedy;
	for (int i = 0; i < 10; i++) {
		greedy.push_back(machine.connect());
		greedy.back().send({2, 255, 2, 255, 2, 255});
	}
	machine.rest();
	auto modest = machine.connect();
	modest.send({2, 32});
	auto polite = machine.connect();
	polite.send({1, 32});
	machine.rest(1ms);
	machine.fill(12);
	EXPECT_TRUE(machine.gets(modest, 32)) << "after one turn for each";
	EXPECT_TRUE(machine.gets(polite, 33));
	for (auto &peer : greedy)
		EXPECT_GE(peer.received().size(), 64U);
	// With an empty pool, a client that does not want to wait gets an empty answer.
	polite.forget();
	polite.send({1, 32});
	EXPECT_TRUE(machine.gets(polite, 1));
	EXPECT_EQ(polite.received(), Bytes{0});
}

TEST(EgdServer, AnAddressWithManyClientsTakesNothingFromOthers)
{
	EgdMachine machine;
	auto listener = listen_tcp();
	struct sockaddr_in server = {};
	socklen_t size = sizeof server;
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): getsockname(2) requires it
	ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<struct sockaddr *>(&server), &size), 0);
	ASSERT_TRUE(machine.server.listen(std::move(listener)));
	std::vector<Peer> many;
	for (int i = 0; i < 30; i++) {
		many.push_back(connect_tcp(server, "127.0.0.2"));
		many.back().send({2, 255, 2, 255, 2, 255});
	}
	ASSERT_TRUE(machine.until([&] { return machine.server.counts().clients == 30; }));
	machine.rest(20ms);
	machine.fill(4);
	auto one = connect_tcp(server, "127.0.0.1");
	one.send({2, 48});
	auto another = connect_tcp(server, "127.0.0.3");
	another.send({2, 64});
	ASSERT_TRUE(machine.until([&] { return machine.server.counts().clients == 32; }));
	machine.rest(20ms);
	machine.fill(3);
	EXPECT_TRUE(machine.gets(one, 48));
	EXPECT_TRUE(machine.gets(another, 64));
}

TEST(EgdServer, AClientThatDisconnectsTakesNothing)
{
	EgdMachine machine;
	for (int i = 0; i < 20; i++) {
		auto peer = machine.connect();
		peer.send({2, 255, 0});
		machine.rest(2ms);
		peer.hang_up();
	}
	auto peer = machine.connect();
	peer.send({2, 64});
	ASSERT_TRUE(machine.until([&] { return machine.server.counts().accepted == 21; }));
	machine.rest();
	machine.fill(30);
	EXPECT_TRUE(machine.gets(peer, 64));
}

TEST(EgdServer, AClientThatStoppedSendingIsStillAnswered)
{
	EgdMachine machine;
	auto peer = machine.connect();
	peer.send({0, 2, 64, 4});
	peer.end();
	ASSERT_TRUE(machine.gets(peer, 4));
	EXPECT_FALSE(peer.over());
	machine.fill(1);
	EXPECT_TRUE(machine.until([&] { return peer.over(); }));
	EXPECT_EQ(peer.received().size(), 4 + 64 + 1 + std::to_string(getpid()).size());
}

TEST(EgdServer, TooManyClientsAreRefused)
{
	EgdMachine machine({.clients = 3, .clients_per_address = 2});
	auto first = machine.connect();
	auto second = machine.connect();
	auto third = machine.connect();
	EXPECT_TRUE(machine.until([&] { return third.over(); }));
	EXPECT_EQ(machine.server.counts().refused, 1U);
	first.send({0});
	EXPECT_TRUE(machine.gets(first, 4));
	first.hang_up();
	EXPECT_TRUE(machine.until([&] { return machine.server.counts().clients == 1; }));
	auto fourth = machine.connect();
	fourth.send({0});
	EXPECT_TRUE(machine.gets(fourth, 4));
	EXPECT_FALSE(second.over());
}

TEST(EgdServer, TheTotalRateIsLimited)
{
	EgdMachine machine({.clients = 2, .clients_per_address = 100});
	std::vector<Peer> peers;
	peers.reserve(50);
	for (int i = 0; i < 50; i++)
		peers.push_back(machine.connect());
	EXPECT_TRUE(machine.until([&] { return machine.server.counts().refused == 48; }));
	EXPECT_EQ(machine.server.counts().clients, 2U);
}

TEST(EgdServer, TheRateOfAClientIsLimited)
{
	EgdMachine machine({.client_rate = 640, .total_rate = 0});
	machine.fill(64);
	auto peer = machine.connect();
	for (int i = 0; i < 100; i++)
		peer.send({0});
	const auto begin = std::chrono::steady_clock::now();
	// Ten at once, since each counts as 64 bytes, and then ten per second.
	ASSERT_TRUE(machine.until([&] { return peer.received().size() >= 60; }));
	const auto took = std::chrono::steady_clock::now() - begin;
	EXPECT_GT(took, 400ms);
	EXPECT_LT(took, 2s);
}

TEST(EgdServer, TheTotalRateIsShared)
{
	EgdMachine machine({.client_rate = 0, .total_rate = 1000});
	machine.fill(64);
	auto peer = machine.connect();
	auto other = machine.connect();
	const auto begin = std::chrono::steady_clock::now();
	for (int i = 0; i < 4; i++) {
		peer.send({2, 250});
		other.send({2, 125});
	}
	ASSERT_TRUE(machine.gets(peer, 1000));
	ASSERT_TRUE(machine.gets(other, 500));
	const auto took = std::chrono::steady_clock::now() - begin;
	EXPECT_GT(took, 200ms);
	EXPECT_LT(took, 2s);
	auto polite = machine.connect();
	polite.send({1, 100});
	EXPECT_TRUE(machine.until([&] { return !polite.received().empty(); }));
}

TEST(EgdServer, AnUnfinishedRequestEndsTheConnection)
{
	EgdMachine machine({.idle = 0ms, .patience = 80ms});
	auto patient = machine.connect();
	auto partial = machine.connect();
	partial.send({3, 0, 0, 200});
	auto deaf = machine.connect();
	auto ended = machine.connect();
	ended.send({2, 1});
	ended.end();
	EXPECT_TRUE(machine.until([&] { return partial.over() && ended.over(); }));
	EXPECT_TRUE(ended.received().empty());
	machine.rest(200ms);
	EXPECT_FALSE(patient.over()) << "it may be idle without limit";
	EXPECT_FALSE(deaf.over());
	// A client that does not read fills its socket, and takes only the memory of one reply.
	for (int i = 0; i < 400 && machine.server.counts().clients == 2; i++) {
		machine.fill(4);
		machine.rest(1ms);
		if (i < 30 && machine.server.counts().clients == 2)
			deaf.send({2, 255, 2, 255, 2, 255, 2, 255});
	}
	EXPECT_TRUE(machine.until([&] { return machine.server.counts().clients == 1; }));
	patient.send({0});
	EXPECT_TRUE(machine.gets(patient, 4));
}

TEST(EgdServer, AnIdleClientIsDisconnected)
{
	EgdMachine machine({.idle = 100ms, .patience = 40ms});
	auto silent = machine.connect();
	auto waiting = machine.connect();
	waiting.send({2, 10});
	EXPECT_TRUE(machine.until([&] { return silent.over(); }));
	machine.rest(150ms);
	EXPECT_FALSE(waiting.over()) << "it waits for the server";
	machine.fill(1);
	EXPECT_TRUE(machine.gets(waiting, 10));
	EXPECT_TRUE(machine.until([&] { return waiting.over(); }));
}

TEST(EgdServer, NoByteIsServedTwice)
{
	EgdMachine machine({.clients_per_address = 100, .client_rate = 0, .total_rate = 0});
	std::vector<Peer> peers;
	peers.reserve(100);
	for (int i = 0; i < 100; i++)
		peers.push_back(machine.connect());
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < peers.size(); i++)
			peers[i].send({static_cast<uint8_t>(i % 3 == 0 ? 1 : 2), 48});
		machine.fill(45);
		machine.rest(2ms);
	}
	ASSERT_TRUE(machine.until([&] {
		machine.fill(10);
		size_t whole = 0;
		for (size_t i = 0; i < peers.size(); i++)
			whole += i % 3 != 0 && peers[i].received().size() == 960 ? 1 : 0;
		return whole == 66;
	}));
	std::set<Bytes> windows;
	size_t count = 0;
	for (size_t i = 0; i < peers.size(); i++) {
		if (i % 3 == 0)
			continue; // its answers have lengths between the bytes
		const auto bytes = peers[i].received();
		for (size_t at = 0; at + 16 <= bytes.size(); at++, count++)
			windows.emplace(bytes.begin() + static_cast<ptrdiff_t>(at),
			                bytes.begin() + static_cast<ptrdiff_t>(at + 16));
	}
	EXPECT_GT(count, 10000U);
	EXPECT_EQ(windows.size(), count);
}

TEST(EgdServer, ServesIPv4AndIPv6)
{
	EgdMachine machine;
	machine.fill(10);
	for (const int family : {AF_INET, AF_INET6}) {
		FileDescriptor listener(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
		struct sockaddr_storage address = {};
		address.ss_family = static_cast<sa_family_t>(family);
		socklen_t size = sizeof address;
		struct sockaddr_in v4 = {};
		v4.sin_family = AF_INET;
		v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		struct sockaddr_in6 v6 = {};
		v6.sin6_family = AF_INET6;
		v6.sin6_addr = in6addr_loopback;
		if (family == AF_INET)
			std::memcpy(&address, &v4, sizeof v4);
		else
			std::memcpy(&address, &v6, sizeof v6);
		// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) requires it
		auto *at = reinterpret_cast<struct sockaddr *>(&address);
		if (bind(listener.get(), at, size) < 0 && family == AF_INET6)
			GTEST_SKIP() << "this machine has no IPv6";
		ASSERT_EQ(listen(listener.get(), 8), 0);
		ASSERT_EQ(getsockname(listener.get(), at, &size), 0);
		ASSERT_TRUE(machine.server.listen(std::move(listener)));
		FileDescriptor fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
		ASSERT_EQ(connect(fd.get(), at, size), 0);
		Peer peer(std::move(fd));
		peer.send({2, 255});
		EXPECT_TRUE(machine.gets(peer, 255));
	}
}

} // namespace
