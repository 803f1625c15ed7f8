// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include "fake_tree.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// The message of a configuration that is refused, without the folder of the tree.
std::string refused(const std::string &text)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf", text);
	const auto config = read_config(tree.root());
	EXPECT_FALSE(config) << text;
	if (config)
		return "";
	EXPECT_EQ(config.error().code, ExitCode::usage);
	const auto &message = config.error().message;
	return message.substr(message.find("/etc/"));
}

TEST(Config, NoFileIsNoError)
{
	const FakeTree tree;
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config);
	EXPECT_EQ(config->credit_bound("tpm_rng.0"), 1024);
}

TEST(Config, TheLastFileDecides)
{
	FakeTree tree;
	tree.file("/etc/hwrngd.conf",
	          "# nothing\n[source.\"tpm_rng.0\"]\nassessed = 100\n[source.rdrand]\nassessed = 0\n");
	tree.file("/etc/hwrngd.conf.d/b.conf", "[source.\"tpm_rng.0\"]\nassessed = 300\n");
	tree.file("/etc/hwrngd.conf.d/a.conf", "[source.\"tpm_rng.0\"]\nassessed = 200\n");
	tree.file("/etc/hwrngd.conf.d/c.conf.dpkg-old", "nonsense");
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config) << config.error().message;
	EXPECT_EQ(config->credit_bound("tpm_rng.0"), 300);
	EXPECT_EQ(config->credit_bound("rdrand"), 0);
	EXPECT_EQ(config->credit_bound("rdseed"), 1024);
}

TEST(Config, WhatIsWrongIsNamedWithItsLine)
{
	EXPECT_EQ(refused("\n[sources.x]\n"),
	          "/etc/hwrngd.conf, line 2: unknown key \"sources\"; there is: [source.\"NAME\"]");
	EXPECT_EQ(refused("[source.x]\n\nasessed = 1\n"),
	          "/etc/hwrngd.conf, line 3: unknown key \"asessed\"; a source has: assessed");
	EXPECT_EQ(refused("[source]\nx = 1\n"),
	          "/etc/hwrngd.conf, line 2: source.x is not a table; a source's keys stand below "
	          "[source.\"x\"]");
	for (const char *value : {"-1", "1025", "0.5", "\"512\"", "true"})
		EXPECT_EQ(refused(std::string("[source.x]\nassessed = ") + value + "\n"),
		          "/etc/hwrngd.conf, line 2: assessed: give a whole number of bits in 1024, 0 to "
		          "1024")
		    << value;
	EXPECT_TRUE(refused("[source.x\n").starts_with("/etc/hwrngd.conf, line 1: "));
}

TEST(Config, AnUnreadableFileIsNotPassedOver)
{
	FakeTree tree;
	std::filesystem::create_directories(tree.at("/etc/hwrngd.conf"));
	EXPECT_FALSE(read_config(tree.root()));
}

TEST(Config, WhatWasAssessedIsWrittenAndRead)
{
	FakeTree tree;
	const auto path = write_assessed(tree.root(), "a \"b\"/c.0", 512);
	ASSERT_TRUE(path) << path.error().message;
	EXPECT_EQ(*path, tree.at("/etc/hwrngd.conf.d/assessed-a_\"b\"_c.0.conf"));
	ASSERT_TRUE(write_assessed(tree.root(), "rdseed", 0));
	ASSERT_TRUE(write_assessed(tree.root(), "rdseed", 800));
	const auto config = read_config(tree.root());
	ASSERT_TRUE(config) << config.error().message;
	EXPECT_EQ(config->credit_bound("a \"b\"/c.0"), 512);
	EXPECT_EQ(config->credit_bound("rdseed"), 800);
}

} // namespace
