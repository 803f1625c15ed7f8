// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/inventory_watcher.h"

#include "fake_tree.h"
#include "pipeline_machine.h"

#include <string>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// A daemon's watcher on a machine whose tpm_rng tests its TPM.
struct Watched {
	Watched()
	{
		tree.hwrng("virtio_rng.0", "virtio_rng.0");
		tree.file("/sys/module/tpm_rng/tpm_rng.0/state", "start-up\n");
		watcher.refresh();
		settle();
	}
	/// Runs the event loop until the control thread has done its work, and what follows from it.
	void settle()
	{
		for (int i = 0; i < 3; i++) {
			bool done = false;
			control.run([] { return 0; }, [&](int) { done = true; });
			const auto work = asio::make_work_guard(io);
			const auto limit = std::chrono::steady_clock::now() + 20s;
			io.restart();
			while (!done && std::chrono::steady_clock::now() < limit)
				io.run_one_for(50ms);
			ASSERT_TRUE(done);
		}
	}
	void wait(std::chrono::milliseconds time)
	{
		clock.move(time);
		clock.call_due();
		settle();
	}
	void is_registered()
	{
		tree.file("/sys/module/tpm_rng/tpm_rng.0/state", "healthy\n");
		tree.hwrng("virtio_rng.0 tpm_rng.0", "virtio_rng.0");
	}
	[[nodiscard]] bool sees_tpm() const { return watcher.inventory().hwrng->offers("tpm_rng.0"); }

	FakeTree tree;
	Config config;
	TestClock clock;
	unsigned refreshes = 0;
	asio::io_context io;
	ControlThread control{io};
	InventoryWatcher watcher{tree.root(), config, control, clock.clock(),
	                         [this](const Inventory &) { refreshes++; }};
};

TEST(InventoryWatcher, NoticesSoonThatAModuleHasTestedItsSource)
{
	Watched m;
	EXPECT_EQ(m.refreshes, 1U);
	for (int i = 0; i < 10; i++)
		m.wait(1s);
	EXPECT_EQ(m.refreshes, 1U) << "nothing has changed";
	m.is_registered();
	m.wait(1s);
	EXPECT_EQ(m.refreshes, 2U);
	EXPECT_TRUE(m.sees_tpm());
	// From now on the regular checks are enough.
	m.tree.hwrng("virtio_rng.0", "virtio_rng.0");
	m.wait(30s);
	EXPECT_EQ(m.refreshes, 2U);
	m.watcher.check();
	m.settle();
	EXPECT_EQ(m.refreshes, 3U);
}

TEST(InventoryWatcher, DoesNotLookForEverForASourceWhoseTestHangs)
{
	Watched m;
	for (int i = 0; i < 100; i++)
		m.wait(1s);
	m.is_registered();
	m.wait(30s);
	EXPECT_FALSE(m.sees_tpm());
	m.watcher.check();
	m.settle();
	EXPECT_TRUE(m.sees_tpm());
}

TEST(InventoryWatcher, DoesNotWaitForASourceThatFailed)
{
	Watched m;
	m.tree.file("/sys/module/tpm_rng/tpm_rng.0/state", "back-off\n");
	m.watcher.refresh();
	m.settle();
	EXPECT_EQ(m.refreshes, 2U);
	m.is_registered();
	m.wait(30s);
	EXPECT_FALSE(m.sees_tpm());
}

} // namespace
