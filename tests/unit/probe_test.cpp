// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/probe.h"

#include "fake_tree.h"

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

constexpr const char *record = "/run/hwrngd/probe";

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

TEST(Probe, ARecordHasThePreviousChoiceDuringAProbe)
{
	FakeTree tree;
	with_device(tree);
	auto probe = hwrng_probe::open(tree.root(), "b");
	ASSERT_TRUE(probe) << probe.error().message;
	EXPECT_EQ(current(tree), "b");
	EXPECT_EQ(tree.text(record), "b\na\n1\n1024\n");
	ASSERT_TRUE((*probe)->close());
	EXPECT_EQ(current(tree), "a");
	EXPECT_FALSE(tree.root().exists(record));
}

TEST(Probe, LetsTheKernelChooseWhenThePreviousOneIsGone)
{
	FakeTree tree;
	with_device(tree);
	auto probe = hwrng_probe::open(tree.root(), "b");
	ASSERT_TRUE(probe) << probe.error().message;
	tree.file(std::string(hw_random) + "/rng_available", "b\n");
	const auto ended = (*probe)->close();
	EXPECT_TRUE(ended) << ended.error().message;
	EXPECT_EQ(current(tree), "\n");
	EXPECT_FALSE(tree.root().exists(record));
}

TEST(Probe, OfTheCurrentHwrngWritesNoRecord)
{
	FakeTree tree;
	with_device(tree);
	auto probe = hwrng_probe::open(tree.root(), "a");
	ASSERT_TRUE(probe);
	EXPECT_FALSE(tree.root().exists(record));
}

TEST(Probe, TheChoiceThatAKilledProbeLeftIsPutBackByTheNext)
{
	FakeTree tree;
	with_device(tree);
	tree.file(record, "a\nb\n1\n1024\n");
	auto probe = hwrng_probe::open(tree.root(), "a");
	ASSERT_TRUE(probe) << probe.error().message;
	EXPECT_EQ(tree.text(record), "a\nb\n1\n1024\n") << "b was put back, and a is probed again";
	ASSERT_TRUE((*probe)->close());
	EXPECT_EQ(current(tree), "b");
}

TEST(Probe, RecoveryRestoresAnAutomaticChoice)
{
	FakeTree tree;
	with_device(tree);
	tree.file(record, "a\nb\n0\n0\n");
	ASSERT_TRUE(hwrng_probe::recover(tree.root()));
	EXPECT_EQ(current(tree), "\n");
	EXPECT_FALSE(tree.root().exists(record));
}

TEST(Probe, RecoveryKeepsALaterChoice)
{
	FakeTree tree;
	with_device(tree);
	tree.file(record, "b\nc\n1\n0\n");
	ASSERT_TRUE(hwrng_probe::recover(tree.root()));
	EXPECT_EQ(current(tree), "a\n");
	EXPECT_FALSE(tree.root().exists(record));
}

TEST(Probe, RecoveryLetsTheKernelChooseWhenThePreviousOneIsGone)
{
	FakeTree tree;
	with_device(tree);
	tree.file(record, "a\nunplugged\n1\n0\n");
	ASSERT_TRUE(hwrng_probe::recover(tree.root()));
	EXPECT_EQ(current(tree), "\n");
}

TEST(Probe, InPlaceOfNamesTheHwrngThatIsReplaced)
{
	FakeTree tree;
	with_device(tree);
	EXPECT_EQ(hwrng_probe::in_place_of(tree.root(), "a"), std::nullopt);
	auto probe = hwrng_probe::open(tree.root(), "b");
	ASSERT_TRUE(probe) << probe.error().message;
	EXPECT_EQ(hwrng_probe::in_place_of(tree.root(), "b"), "a");
	EXPECT_EQ(hwrng_probe::in_place_of(tree.root(), "c"), std::nullopt)
	    << "it was selected in the meantime";
	ASSERT_TRUE((*probe)->close());
	EXPECT_EQ(hwrng_probe::in_place_of(tree.root(), "b"), std::nullopt);
}

TEST(Probe, WithoutARecordThereIsNothingToRecover)
{
	FakeTree tree;
	EXPECT_TRUE(hwrng_probe::recover(tree.root()));
}

} // namespace
