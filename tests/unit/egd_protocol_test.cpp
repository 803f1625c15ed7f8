// SPDX-License-Identifier: GPL-2.0-or-later
#include "egd/egd_protocol.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

using namespace hwrngd::egd;

namespace {

using Bytes = std::vector<uint8_t>;

void send(Session &session, const Bytes &bytes)
{
	const auto room = session.room();
	ASSERT_GE(room.size(), bytes.size());
	std::ranges::copy(bytes, room.begin());
	session.received(bytes.size());
}

/// The whole output.
Bytes output(Session &session)
{
	const auto bytes = session.output();
	Bytes all(bytes.begin(), bytes.end());
	session.sent(all.size());
	return all;
}

TEST(EgdProtocol, ParsesEveryRequest)
{
	EXPECT_EQ(parse(Bytes{0})->command, Command::available);
	EXPECT_EQ(parse(Bytes{0, 1, 2})->size, 1U);
	EXPECT_EQ(parse(Bytes{4})->command, Command::pid);
	EXPECT_EQ(parse(Bytes{4, 4})->size, 1U);
	for (const auto command : {Command::read, Command::read_blocking}) {
		const auto code = static_cast<uint8_t>(command);
		for (const uint8_t count : Bytes{0, 1, 128, 255}) {
			const auto request = parse(Bytes{code, count, 9});
			ASSERT_TRUE(request);
			EXPECT_EQ(request->command, command);
			EXPECT_EQ(request->count, count);
			EXPECT_EQ(request->size, 2U);
			EXPECT_TRUE(request->data.empty());
		}
	}
	const Bytes write{3, 1, 2, 3, 'a', 'b', 'c', 0};
	const auto request = parse(write);
	ASSERT_TRUE(request);
	EXPECT_EQ(request->command, Command::write);
	EXPECT_EQ(request->bits, 0x0102);
	EXPECT_EQ(Bytes(request->data.begin(), request->data.end()), (Bytes{'a', 'b', 'c'}));
	EXPECT_EQ(request->size, 7U);
	const auto nothing = parse(Bytes{3, 0, 0, 0});
	ASSERT_TRUE(nothing);
	EXPECT_TRUE(nothing->data.empty());
	EXPECT_EQ(nothing->size, 4U);
}

TEST(EgdProtocol, ABeginningOfARequestIsPartial)
{
	Bytes longest{3, 0xff, 0xff, 255};
	longest.resize(longest_request);
	for (const auto &whole : {Bytes{0}, Bytes{1, 7}, Bytes{2, 7}, longest, Bytes{4}}) {
		for (size_t size = 0; size < whole.size(); size++)
			EXPECT_EQ(parse(std::span(whole).first(size)), std::unexpected(NoRequest::partial));
		ASSERT_TRUE(parse(whole));
		EXPECT_EQ(parse(whole)->size, whole.size());
	}
}

TEST(EgdProtocol, OtherCommandsAreUnknown)
{
	for (unsigned code = 5; code < 256; code++)
		EXPECT_EQ(parse(Bytes{static_cast<uint8_t>(code)}), std::unexpected(NoRequest::unknown));
}

TEST(EgdSession, AnswersAreExact)
{
	Session session;
	send(session, {0});
	ASSERT_EQ(session.next()->command, Command::available);
	session.answer_available(0x01020304);
	EXPECT_EQ(output(session), (Bytes{0x08, 0x10, 0x18, 0x20}));
	for (const uint64_t many : {uint64_t{1} << 29U, uint64_t{1} << 40U, ~uint64_t{0}}) {
		session.answer_available(many);
		EXPECT_EQ(output(session), (Bytes{0xff, 0xff, 0xff, 0xf8}));
	}
	session.answer_available(0);
	EXPECT_EQ(output(session), (Bytes{0, 0, 0, 0}));

	send(session, {1, 3});
	EXPECT_EQ(session.next()->count, 3);
	std::ranges::copy(Bytes{7, 8}, session.answer_read(2).begin());
	EXPECT_EQ(output(session), (Bytes{2, 7, 8}));
	EXPECT_TRUE(session.answer_read(0).empty());
	EXPECT_EQ(output(session), Bytes{0});
	EXPECT_EQ(session.answer_read(1000).size(), 255U);
	EXPECT_EQ(output(session).size(), 256U);

	send(session, {4});
	ASSERT_EQ(session.next()->command, Command::pid);
	session.answer_pid(4711);
	EXPECT_EQ(output(session), (Bytes{4, '4', '7', '1', '1'}));
}

TEST(EgdSession, ABlockingReadIsStreamedAndKeepsTheNextRequestWaiting)
{
	Session session;
	send(session, {2, 5, 0});
	EXPECT_EQ(session.next()->command, Command::read_blocking);
	EXPECT_EQ(session.due(), 5U);
	EXPECT_FALSE(session.next());
	std::ranges::copy(Bytes{1, 2}, session.give(2).begin());
	EXPECT_EQ(session.due(), 3U);
	session.sent(1);
	EXPECT_FALSE(session.next()) << "output is left";
	std::ranges::copy(Bytes{3}, session.give(1).begin());
	EXPECT_EQ(output(session), (Bytes{2, 3}));
	EXPECT_FALSE(session.next());
	EXPECT_EQ(session.give(100).size(), 2U) << "never more than was requested";
	EXPECT_FALSE(session.next());
	EXPECT_EQ(output(session).size(), 2U);
	EXPECT_EQ(session.next()->command, Command::available)
	    << "the next request is parsed correctly";
}

TEST(EgdSession, RequestsForZeroBytesAreAnswered)
{
	Session session;
	send(session, {2, 0, 1, 0, 4});
	EXPECT_EQ(session.next()->count, 0);
	EXPECT_EQ(session.due(), 0U);
	EXPECT_TRUE(session.output().empty());
	EXPECT_EQ(session.next()->command, Command::read);
	EXPECT_EQ(session.next()->command, Command::pid);
	EXPECT_FALSE(session.next());
	EXPECT_FALSE(session.broken());
	EXPECT_FALSE(session.partial());
}

TEST(EgdSession, RequestsMayArriveInAnyPieces)
{
	const Bytes stream{1, 9, 3, 0, 8, 2, 0, 1, 0, 2, 1, 4};
	for (size_t piece = 1; piece <= stream.size(); piece++) {
		Session session;
		std::string seen;
		for (size_t at = 0; at < stream.size(); at += piece) {
			send(session, Bytes(stream.begin() + static_cast<ptrdiff_t>(at),
			                    stream.begin() +
			                        static_cast<ptrdiff_t>(std::min(stream.size(), at + piece))));
			while (const auto request = session.next()) {
				seen += std::to_string(static_cast<int>(request->command));
				if (request->command == Command::write) {
					EXPECT_EQ(Bytes(request->data.begin(), request->data.end()), (Bytes{0, 1}));
				}
				if (session.due() > 0) {
					EXPECT_EQ(session.give(session.due()).size(), 1U);
					session.sent(1);
				}
			}
		}
		EXPECT_EQ(seen, "13024") << piece;
		EXPECT_FALSE(session.partial());
	}
}

TEST(EgdSession, AnUnknownCommandEndsIt)
{
	Session session;
	send(session, {0, 5, 0});
	EXPECT_TRUE(session.next());
	EXPECT_FALSE(session.broken());
	EXPECT_FALSE(session.next());
	EXPECT_TRUE(session.broken());
	EXPECT_FALSE(session.partial());
	EXPECT_TRUE(session.room().empty());
	EXPECT_FALSE(session.next());
}

TEST(EgdSession, ItsInputIsLimited)
{
	Session session;
	Bytes longest{3, 0, 0, 255};
	longest.resize(longest_request, 0x55);
	send(session, {2, 1});
	ASSERT_TRUE(session.next());
	send(session, longest);
	send(session, Bytes(longest.begin(), longest.end() - 2));
	EXPECT_EQ(session.room().size(), 2U);
	session.received(1000);
	EXPECT_TRUE(session.room().empty()) << "a client that sends more must wait";
	EXPECT_EQ(session.give(1).size(), 1U);
	session.sent(1000);
	EXPECT_TRUE(session.output().empty());
	EXPECT_EQ(session.next()->data.size(), 255U);
	EXPECT_EQ(session.room().size(), longest_request);
	EXPECT_EQ(session.next()->data.size(), 255U);
	send(session, {3, 0});
	EXPECT_FALSE(session.next());
	EXPECT_TRUE(session.partial());
}

} // namespace
