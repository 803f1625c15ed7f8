// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include <set>

#include <gtest/gtest.h>

using namespace hwrngd;

namespace {

TEST(Log, AnEntryFollowsTheJournalsProtocol)
{
	EXPECT_EQ(
	    journal_entry(Priority::warning, Event::hwrng_chosen, "text", {{"HWRNGD_SOURCE", "a"}}),
	    "MESSAGE=text\n"
	    "MESSAGE_ID=6de9d0f5879c474a9c9723a78d38ac8c\n"
	    "PRIORITY=4\n"
	    "SYSLOG_IDENTIFIER=hwrngd\n"
	    "HWRNGD_SOURCE=a\n");
	using namespace std::string_literals;
	const auto entry = journal_entry(Priority::info, Event::failed, "two\nlines", {});
	EXPECT_TRUE(entry.starts_with("MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nMESSAGE_ID="s)) << entry;
}

TEST(Log, EachEventHasAnIdOfItsOwn)
{
	std::set<std::string_view> ids;
	for (int i = 0; i <= static_cast<int>(Event::restricted); i++)
		ids.insert(message_id(static_cast<Event>(i)));
	EXPECT_EQ(ids.size(), static_cast<size_t>(Event::restricted) + 1);
	for (const auto id : ids) {
		EXPECT_EQ(id.size(), 32U);
		EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string_view::npos);
	}
}

} // namespace
