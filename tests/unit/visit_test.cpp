// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/visit.h"

#include "fake_tree.h"

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

constexpr const char *record = "/run/hwrngd/visit";

std::string current(const FakeTree &tree)
{
	return tree.text(std::string(hw_random) + "/rng_current");
}

FakeTree &with_device(FakeTree &tree)
{
	tree.hwrng("a b", "a", true);
	tree.file("/dev/hwrng", std::string(1000, 'x'));
	return tree;
}

TEST(Visit, WhileItLastsAFileSaysWhatWasBefore)
{
	FakeTree tree;
	with_device(tree);
	auto visit = Visit::begin(tree.root(), "b");
	ASSERT_TRUE(visit) << visit.error().message;
	EXPECT_EQ(current(tree), "b");
	EXPECT_EQ(tree.text(record), "b\na\n1\n1024\n");
	ASSERT_TRUE(visit->end());
	EXPECT_EQ(current(tree), "a");
	EXPECT_FALSE(tree.root().exists(record));
}

TEST(Visit, LetsTheKernelChooseWhenWhatWasBeforeIsGone)
{
	FakeTree tree;
	with_device(tree);
	auto visit = Visit::begin(tree.root(), "b");
	ASSERT_TRUE(visit) << visit.error().message;
	tree.file(std::string(hw_random) + "/rng_available", "b\n");
	const auto ended = visit->end();
	EXPECT_TRUE(ended) << ended.error().message;
	EXPECT_EQ(current(tree), "\n");
	EXPECT_FALSE(tree.root().exists(record));
}

TEST(Visit, OfTheCurrentOneLeavesNoFile)
{
	FakeTree tree;
	with_device(tree);
	auto visit = Visit::begin(tree.root(), "a");
	ASSERT_TRUE(visit);
	EXPECT_FALSE(tree.root().exists(record));
}

TEST(Visit, WhatAKilledVisitorLeftIsPutBackByTheNext)
{
	FakeTree tree;
	with_device(tree);
	tree.file(record, "a\nb\n1\n1024\n");
	auto visit = Visit::begin(tree.root(), "a");
	ASSERT_TRUE(visit) << visit.error().message;
	EXPECT_EQ(tree.text(record), "a\nb\n1\n1024\n") << "b was put back, and a is visited again";
	ASSERT_TRUE(visit->end());
	EXPECT_EQ(current(tree), "b");
}

TEST(Visit, RecoveryHandsAnAutomaticChoiceBack)
{
	FakeTree tree;
	with_device(tree);
	tree.file(record, "a\nb\n0\n0\n");
	ASSERT_TRUE(Visit::recover(tree.root()));
	EXPECT_EQ(current(tree), "\n");
	EXPECT_FALSE(tree.root().exists(record));
}

TEST(Visit, RecoveryLeavesALaterChoiceAlone)
{
	FakeTree tree;
	with_device(tree);
	tree.file(record, "b\nc\n1\n0\n");
	ASSERT_TRUE(Visit::recover(tree.root()));
	EXPECT_EQ(current(tree), "a\n");
	EXPECT_FALSE(tree.root().exists(record));
}

TEST(Visit, RecoveryLetsTheKernelChooseWhenWhatWasBeforeIsGone)
{
	FakeTree tree;
	with_device(tree);
	tree.file(record, "a\nunplugged\n1\n0\n");
	ASSERT_TRUE(Visit::recover(tree.root()));
	EXPECT_EQ(current(tree), "\n");
}

TEST(Visit, WhoLooksOnKnowsWhatIsVisitedInPlaceOfWhat)
{
	FakeTree tree;
	with_device(tree);
	EXPECT_EQ(Visit::in_place_of(tree.root(), "a"), std::nullopt);
	auto visit = Visit::begin(tree.root(), "b");
	ASSERT_TRUE(visit) << visit.error().message;
	EXPECT_EQ(Visit::in_place_of(tree.root(), "b"), "a");
	EXPECT_EQ(Visit::in_place_of(tree.root(), "c"), std::nullopt) << "somebody chose it meanwhile";
	ASSERT_TRUE(visit->end());
	EXPECT_EQ(Visit::in_place_of(tree.root(), "b"), std::nullopt);
}

TEST(Visit, WithoutARecordThereIsNothingToRecover)
{
	FakeTree tree;
	EXPECT_TRUE(Visit::recover(tree.root()));
}

} // namespace
