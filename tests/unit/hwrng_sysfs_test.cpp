// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/hwrng_sysfs.h"

#include "base/interrupt.h"
#include "fake_tree.h"

#include <csignal>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

const std::string current_file = std::string(hw_random) + "/rng_current";
const std::string quality_file = std::string(hw_random) + "/rng_quality";

TEST(HwrngSysfs, ReadsTheStateOfANewKernel)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0 none", "virtio_rng.0", true, "1000");
	const auto state = HwrngSysfs(tree.root()).read();
	ASSERT_TRUE(state);
	EXPECT_EQ(state->available, (std::vector<std::string>{"virtio_rng.0", "tpm_rng.0"}));
	EXPECT_EQ(state->current, "virtio_rng.0");
	EXPECT_TRUE(state->selected);
	EXPECT_TRUE(state->can_select_none);
	EXPECT_EQ(state->quality, 1000U);
	EXPECT_FALSE(state->switching_can_deadlock());
}

TEST(HwrngSysfs, ReadsTheStateOfAnOldKernel)
{
	FakeTree tree;
	tree.hwrng("", "none", false, "");
	const auto state = HwrngSysfs(tree.root()).read();
	ASSERT_TRUE(state);
	EXPECT_TRUE(state->available.empty());
	EXPECT_EQ(state->current, "");
	EXPECT_FALSE(state->can_select_none);
	EXPECT_EQ(state->quality, std::nullopt);
	EXPECT_TRUE(state->switching_can_deadlock());
}

TEST(HwrngSysfs, SaysThatThereIsNoFramework)
{
	FakeTree tree;
	const auto state = HwrngSysfs(tree.root()).read();
	ASSERT_FALSE(state);
	EXPECT_EQ(state.error().code, ExitCode::no_source);
	EXPECT_NE(state.error().message.find("CONFIG_HW_RANDOM"), std::string::npos);
}

TEST(HwrngSysfs, SelectsWhatExists)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0");
	EXPECT_TRUE(HwrngSysfs(tree.root()).select("tpm_rng.0"));
	EXPECT_EQ(tree.text(current_file), "tpm_rng.0");
}

TEST(HwrngSysfs, RefusesWhatDoesNotExistAndListsWhatDoes)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0");
	for (const char *name : {"nonsense", "none", "", "virtio_rng", "virtio_rng.0 tpm_rng.0"}) {
		const auto done = HwrngSysfs(tree.root()).select(name);
		ASSERT_FALSE(done) << name;
		EXPECT_EQ(done.error().code, ExitCode::no_source);
		EXPECT_NE(done.error().message.find("virtio_rng.0, tpm_rng.0"), std::string::npos);
		EXPECT_EQ(tree.text(current_file), "virtio_rng.0\n");
	}
}

TEST(HwrngSysfs, SelectsNoneWhereTheKernelCan)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 none", "virtio_rng.0");
	EXPECT_TRUE(HwrngSysfs(tree.root()).select("none"));
	EXPECT_EQ(tree.text(current_file), "none");
}

TEST(HwrngSysfs, NoticesAChoiceThatTheKernelDidNotTake)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0");
	tree.symlink(current_file, "/dev/null"); // silently accepts every write, reads as empty
	const auto done = HwrngSysfs(tree.root()).select("tpm_rng.0");
	ASSERT_FALSE(done);
	EXPECT_EQ(done.error().code, ExitCode::io_error);
	EXPECT_NE(done.error().message.find("did not select"), std::string::npos);
}

TEST(HwrngSysfs, HandsTheChoiceBackWithANewline)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0", "virtio_rng.0", true);
	EXPECT_TRUE(HwrngSysfs(tree.root()).select_automatically());
	EXPECT_EQ(tree.text(current_file), "\n");
}

TEST(HwrngSysfs, RestoresAChoiceAndTheQualityThatASwitchMoved)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0", true, "1000");
	const HwrngSysfs sysfs(tree.root());
	const auto before = sysfs.read();
	ASSERT_TRUE(before);
	tree.file(current_file, "tpm_rng.0\n");
	tree.file(quality_file, "512\n");
	EXPECT_TRUE(sysfs.restore(*before));
	EXPECT_EQ(tree.text(current_file), "virtio_rng.0");
	EXPECT_EQ(tree.text(quality_file), "1000\n");
}

TEST(HwrngSysfs, RestoresTheKernelsOwnChoice)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0", false);
	const HwrngSysfs sysfs(tree.root());
	const auto before = sysfs.read();
	ASSERT_TRUE(before);
	tree.file(current_file, "tpm_rng.0\n");
	EXPECT_TRUE(sysfs.restore(*before));
	EXPECT_EQ(tree.text(current_file), "\n");
}

TEST(HwrngSysfs, TheLockKeepsOthersAwayAndEndsWithItsHolder)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0", "virtio_rng.0");
	const HwrngSysfs sysfs(tree.root());
	{
		const auto first = sysfs.lock(std::chrono::milliseconds(0));
		ASSERT_TRUE(first);
		const auto second = sysfs.lock(std::chrono::milliseconds(50));
		ASSERT_FALSE(second);
		EXPECT_EQ(second.error().code, ExitCode::unavailable);
	}
	EXPECT_TRUE(sysfs.lock(std::chrono::milliseconds(0)));
}

TEST(HwrngSysfs, AfterAnInterruptTheLockIsForWhoPutsThingsBack)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0", "virtio_rng.0");
	const HwrngSysfs sysfs(tree.root());
	interrupt_reads(SIGTERM);
	const auto change = sysfs.lock(std::chrono::milliseconds(0));
	const auto put_back = sysfs.lock(std::chrono::milliseconds(0), HwrngSysfs::Purpose::put_back);
	interrupt_reads(0);
	ASSERT_FALSE(change);
	EXPECT_EQ(change.error().code, ExitCode::interrupted);
	EXPECT_TRUE(put_back);
}

} // namespace
