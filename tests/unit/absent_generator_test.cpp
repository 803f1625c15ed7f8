// SPDX-License-Identifier: GPL-2.0-or-later
// A configured generator that is not plugged in, as the commands show it.
#include "fake_tree.h"
#include "good_hwrng.h"
#include "paths.h"
#include "run_hwrngctl.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// A source from /etc/hwrngd.conf whose device is missing.
void absent_generator(FakeTree &tree)
{
	tree.file("/etc/hwrngd.conf", "[source.late]\npath = \"/dev/ttyACM7\"\ncredit = 512\n");
}

TEST(AbsentGenerator, IsShownWithTheReason)
{
	FakeTree tree;
	absent_generator(tree);
	auto ran = run(tree, "list");
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_TRUE(ran.out.contains("/dev/ttyACM7 (absent)")) << ran.out;
	ran = run(tree, "policy --explain");
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_TRUE(ran.out.contains("ignore   is absent: /dev/ttyACM7 does not exist")) << ran.out;
	ran = run(tree, "bench");
	EXPECT_EQ(ran.code, 3) << ran.err;
	EXPECT_TRUE(ran.out.contains("/dev/ttyACM7 does not exist") ||
	            ran.err.contains("has no usable source"))
	    << ran.out << ran.err;
	EXPECT_LE(run(tree, "doctor").code, 1);
}

TEST(AbsentGenerator, StatusDoesNotCountOnIt)
{
	FakeTree tree;
	absent_generator(tree);
	const std::string row = "late             generator   512  -             ";
	auto out = run(tree, "status").out;
	EXPECT_TRUE(out.contains("\n" + row + "absent             -         -\n")) << out;
	EXPECT_FALSE(out.contains("can feed its pool")) << out;
	EXPECT_FALSE(out.contains("feed --once` feeds it")) << out;
	EXPECT_TRUE(out.contains("source was found")) << out;
	tree.file("/dev/ttyACM7", "");
	out = run(tree, "status").out;
	EXPECT_TRUE(out.contains("\n" + row + "-                  -         -\n")) << out;
	EXPECT_FALSE(out.contains("source was found")) << out;
}

TEST(AbsentGenerator, IsNeverReadAndSaysWhy)
{
	FakeTree tree;
	absent_generator(tree);
	for (const auto *arguments :
	     {"test -s late", "bench -s late", "assess -s late", "feed --once --dry-run -s late"}) {
		const auto ran = run(tree, arguments);
		EXPECT_EQ(ran.code, 3) << arguments;
		EXPECT_TRUE(ran.err.contains("late is absent: /dev/ttyACM7 does not exist"))
		    << arguments << ran.err;
	}
	EXPECT_EQ(run(tree, "feed --once --dry-run").code, 3);
	good_hwrng(tree);
	for (const auto *arguments : {"test", "feed --once --dry-run"}) {
		const auto ran = run(tree, arguments);
		EXPECT_EQ(ran.code, 0) << arguments << ran.err << ran.out;
		EXPECT_FALSE(ran.err.contains("late")) << arguments << ran.err;
	}
}

TEST(AbsentGenerator, IsNotedByCheckConfig)
{
	FakeTree tree;
	absent_generator(tree);
	const auto check = [&] {
		const auto out = tree.at("/stdout").string();
		const auto command = std::string(hwrngd_path) +
		                     " --check-config --root=" + tree.at("/").string() + " >" + out;
		EXPECT_EQ(std::system(command.c_str()), 0); // NOLINT: the shell redirects
		return tree.text("/stdout");
	};
	EXPECT_EQ(check(), "The configuration is well-formed.\nNote: the source late is absent: "
	                   "/dev/ttyACM7 does not exist. It is read once that path exists.\n");
	tree.file("/dev/ttyACM7", "");
	EXPECT_EQ(check(), "The configuration is well-formed.\n");
}

} // namespace
