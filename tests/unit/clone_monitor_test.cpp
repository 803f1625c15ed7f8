// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/clone_monitor.h"

#include "fake_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace hwrngd::test {

namespace {

using namespace std::chrono_literals;

const std::string cloned =
    "5,612,36318855,-;random: crng reseeded due to virtual machine fork\n SUBSYSTEM=misc\n";

TEST(CloneMonitor, RecognisesTheKernelsMessage)
{
	EXPECT_TRUE(CloneMonitor::reports_clone(cloned));
	for (const char *other :
	     {"", "5", "5,612", ";random: crng reseeded due to virtual machine fork",
	      "5,612,36318855,-;random: crng reseeded on system resumption\n",
	      "5,612,36318855,-;x: random: crng reseeded due to virtual machine fork\n",
	      // written by a program
	      "13,612,36318855,-;random: crng reseeded due to virtual machine fork\n"})
		EXPECT_FALSE(CloneMonitor::reports_clone(other)) << other;
}

TEST(CloneMonitor, CallsEachTime)
{
	FakeTree tree;
	tree.file("/dev/null", "");
	ASSERT_EQ(mkfifo(tree.at("/dev/kmsg").c_str(), 0600), 0);
	const FileDescriptor kernel(::open(tree.at("/dev/kmsg").c_str(), O_RDWR | O_CLOEXEC));
	ASSERT_TRUE(kernel);
	asio::io_context io;
	int calls = 0;
	auto log = CloneMonitor::open_log(tree.root());
	ASSERT_TRUE(log) << log.error().message;
	const CloneMonitor monitor(io, std::move(*log), [&] { calls++; });
	const auto say = [&](const std::string &record) {
		EXPECT_EQ(write(kernel.get(), record.data(), record.size()),
		          static_cast<ssize_t>(record.size()));
		EXPECT_EQ(io.run_one_for(10s), 1U);
	};
	say("6,1,1,-;something else\n");
	EXPECT_EQ(calls, 0);
	say(cloned);
	EXPECT_EQ(calls, 1);
	say(cloned);
	EXPECT_EQ(calls, 2);
}

TEST(CloneMonitor, ReportsAMissingLog)
{
	const FakeTree tree;
	const auto log = CloneMonitor::open_log(tree.root());
	ASSERT_FALSE(log);
	EXPECT_EQ(log.error().code, ExitCode::io_error);
}

} // namespace

} // namespace hwrngd::test
