// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/write_file.h"

#include "fake_tree.h"

#include <csignal>
#include <vector>

#include <sys/resource.h>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace fs = std::filesystem;

namespace {

/// The names of the files in the folder of `file`.
std::vector<std::string> names_beside(const fs::path &file)
{
	std::vector<std::string> names;
	for (const auto &entry : fs::directory_iterator(file.parent_path()))
		names.push_back(entry.path().filename());
	return names;
}

TEST(WriteFile, WritesAndReplaces)
{
	FakeTree tree;
	tree.file("/d/report", "old, and longer than the new one");
	for (const char *text : {"new", ""}) {
		ASSERT_TRUE(write_file(tree.at("/d/report"), text));
		EXPECT_EQ(tree.text("/d/report"), text);
	}
	EXPECT_EQ(names_beside(tree.at("/d/report")), std::vector<std::string>{"report"});
}

TEST(WriteFile, KeepsASymbolicLink)
{
	FakeTree tree;
	tree.file("/d/report", "old");
	tree.symlink("/d/link", "report");
	ASSERT_TRUE(write_file(tree.at("/d/link"), "new"));
	EXPECT_TRUE(fs::is_symlink(tree.at("/d/link")));
	EXPECT_EQ(tree.text("/d/report"), "new");
}

TEST(WriteFile, AFullDiskLeavesTheOldFileAndNothingElse)
{
	FakeTree tree;
	tree.file("/d/report", "old");
	// A file size limit stands in for a full disk: only half of the text can be written.
	std::signal(SIGXFSZ, SIG_IGN);
	rlimit before{};
	ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
	const rlimit little{.rlim_cur = 1000, .rlim_max = before.rlim_max};
	ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
	const auto result = write_file(tree.at("/d/report"), std::string(2000, 'x'));
	ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);

	ASSERT_FALSE(result);
	EXPECT_EQ(result.error().code, ExitCode::io_error);
	EXPECT_EQ(result.error().number, EFBIG);
	EXPECT_EQ(tree.text("/d/report"), "old");
	EXPECT_EQ(names_beside(tree.at("/d/report")), std::vector<std::string>{"report"});
}

TEST(WriteFile, ADeviceIsWrittenDirectly)
{
	EXPECT_TRUE(write_file("/dev/null", "text"));
	const auto full = write_file("/dev/full", "text");
	ASSERT_FALSE(full);
	EXPECT_EQ(full.error().code, ExitCode::io_error);
	EXPECT_EQ(full.error().number, ENOSPC);
	EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(WriteFile, AMissingFolderIsAnOutputError)
{
	FakeTree tree;
	const auto result = write_file(tree.at("/missing/report"), "text");
	ASSERT_FALSE(result);
	EXPECT_EQ(result.error().code, ExitCode::io_error);
	EXPECT_EQ(result.error().number, ENOENT);
}

} // namespace
