// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/hwrng_choice.h"

#include "fake_tree.h"

#include <filesystem>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

constexpr const char *file = "/run/hwrngd/chosen";

FakeTree &with_hwrngs(FakeTree &tree, bool selected)
{
	tree.hwrng("a b", "a", selected);
	std::filesystem::create_directories(tree.at("/run/hwrngd"));
	return tree;
}

std::string current(const FakeTree &tree)
{
	return tree.text(std::string(hw_random) + "/rng_current");
}

/// Calls make() with the current state as `seen`.
Result<bool> make(const FakeTree &tree, const std::string &name)
{
	const auto seen = HwrngSysfs(tree.root()).read();
	return hwrng_choice::make(tree.root(), name, seen.value_or(HwrngState()), 1s);
}

TEST(HwrngChoice, IsMadeAndRemembered)
{
	FakeTree tree;
	with_hwrngs(tree, false);
	ASSERT_EQ(*hwrng_choice::remembered(tree.root()), std::nullopt);
	const auto made = make(tree, "b");
	ASSERT_TRUE(made) << made.error().message;
	EXPECT_EQ(current(tree), "b");
	EXPECT_EQ(*hwrng_choice::remembered(tree.root()), "b");
}

TEST(HwrngChoice, WhatWasRememberedStaysWhenANewOneCannotBeMade)
{
	FakeTree tree;
	with_hwrngs(tree, false);
	EXPECT_FALSE(make(tree, "c"));
	EXPECT_EQ(*hwrng_choice::remembered(tree.root()), std::nullopt);
	ASSERT_TRUE(make(tree, "b"));
	EXPECT_FALSE(make(tree, "c"));
	EXPECT_EQ(*hwrng_choice::remembered(tree.root()), "b");
	EXPECT_EQ(current(tree), "b");
}

TEST(HwrngChoice, IsHandedBack)
{
	FakeTree tree;
	with_hwrngs(tree, true);
	tree.file(file, "a\n");
	const auto done = hwrng_choice::hand_back(tree.root(), 1s);
	ASSERT_TRUE(done) << done.error().message;
	EXPECT_EQ(current(tree), "\n") << "an empty line lets the kernel choose";
	EXPECT_FALSE(tree.root().exists(file));
}

TEST(HwrngChoice, OfSomebodyElseIsLeft)
{
	FakeTree tree;
	with_hwrngs(tree, true);
	tree.file(file, "b\n");
	ASSERT_TRUE(hwrng_choice::hand_back(tree.root(), 1s));
	EXPECT_EQ(current(tree), "a\n");
	EXPECT_FALSE(tree.root().exists(file));

	ASSERT_TRUE(hwrng_choice::hand_back(tree.root(), 1s)) << "nothing is remembered";
	EXPECT_EQ(current(tree), "a\n");
}

TEST(HwrngChoice, IsHandedBackFromTheMidstOfAProbe)
{
	FakeTree tree;
	with_hwrngs(tree, true);
	tree.file(file, "b\n");
	tree.file("/run/hwrngd/probe", "a\nb\n1\n1024\n");
	ASSERT_TRUE(hwrng_choice::hand_back(tree.root(), 1s));
	EXPECT_EQ(current(tree), "\n") << "b was put back, and it was ours";
	EXPECT_FALSE(tree.root().exists("/run/hwrngd/probe"));
}

TEST(HwrngChoice, IsNotMadeOverWhatSomebodyChoseMeanwhile)
{
	FakeTree tree;
	with_hwrngs(tree, false);
	const auto seen = HwrngSysfs(tree.root()).read();
	ASSERT_TRUE(seen);
	tree.hwrng("a b", "a", true);
	const auto made = hwrng_choice::make(tree.root(), "b", *seen, 1s);
	ASSERT_TRUE(made) << made.error().message;
	EXPECT_FALSE(*made);
	EXPECT_EQ(current(tree), "a\n");
	EXPECT_EQ(*hwrng_choice::remembered(tree.root()), std::nullopt);
}

TEST(HwrngChoice, WhoWasKilledWhileWritingLeavesNothing)
{
	FakeTree tree;
	with_hwrngs(tree, false);
	tree.file("/run/hwrngd/probe.8790.part", "1 a");
	tree.file("/run/hwrngd/lock", "");
	EXPECT_TRUE(hwrng_choice::recover(tree.root(), 1s));
	EXPECT_EQ(tree.root().list("/run/hwrngd"), std::vector<std::string>{"lock"});
}

TEST(HwrngChoice, WithoutAFrameworkNothingHasToBePutBack)
{
	FakeTree tree;
	EXPECT_TRUE(hwrng_choice::recover(tree.root(), 1s));
	EXPECT_TRUE(hwrng_choice::hand_back(tree.root(), 1s));
	const auto made = make(tree, "a");
	ASSERT_FALSE(made);
	EXPECT_EQ(made.error().code, ExitCode::no_source);
}

TEST(HwrngChoice, AFileThatCannotBeReadIsTold)
{
	FakeTree tree;
	with_hwrngs(tree, true);
	std::filesystem::create_directories(tree.at(file)); // a folder in place of the file
	EXPECT_FALSE(hwrng_choice::remembered(tree.root()));
	EXPECT_FALSE(make(tree, "b"));
	EXPECT_EQ(current(tree), "a\n") << "nothing was changed";
	EXPECT_FALSE(hwrng_choice::hand_back(tree.root(), 1s));
}

} // namespace
