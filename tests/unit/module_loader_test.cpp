// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/module_loader.h"

#include "fake_tree.h"
#include "pipeline_machine.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// A daemon's module loader, a machine made of files, and a modprobe that does as a test says.
struct Loading {
	Loading()
	{
		inventory.tpms = {{.name = "tpm0", .version = "2.0", .description = "", .hwrng = {}}};
		inventory.cpu_instructions = {"rdseed"};
	}

	Result<void> load(const std::string &module)
	{
		const std::lock_guard lock(mutex);
		tries.push_back(module);
		if (error)
			return std::unexpected(*error);
		if (works)
			tree.file("/sys/module/" + module + "/refcnt", "0\n");
		return {};
	}
	/// Takes the inventory, as the daemon does now and then, and runs what follows from it.
	void look()
	{
		loader.apply(inventory, config);
		settle();
	}
	/// Runs the event loop until the control thread has done its work.
	void settle()
	{
		bool done = false;
		control.run([] { return 0; }, [&](int) { done = true; });
		const auto work = asio::make_work_guard(io);
		const auto limit = std::chrono::steady_clock::now() + 20s;
		io.restart();
		while (!done && std::chrono::steady_clock::now() < limit)
			io.run_one_for(50ms);
		ASSERT_TRUE(done);
	}
	void wait(std::chrono::milliseconds time)
	{
		clock.move(time);
		clock.call_due();
		settle();
	}
	[[nodiscard]] size_t tried(const std::string &module)
	{
		const std::lock_guard lock(mutex);
		return static_cast<size_t>(std::ranges::count(tries, module));
	}
	void unload(const std::string &module) const
	{
		std::filesystem::remove_all(tree.at("/sys/module/" + module));
	}

	FakeTree tree;
	Inventory inventory;
	Config config;
	std::mutex mutex; // guards the next three
	std::vector<std::string> tries;
	std::optional<Error> error;
	bool works = true;
	unsigned loaded = 0; ///< calls of on_load
	TestClock clock;
	asio::io_context io;
	ControlThread control{io};
	ModuleLoader loader{tree.root(), control, clock.clock(),
	                    [this](const auto &module) { return load(module); }, [this] { loaded++; }};
};

const Error no_device{ExitCode::no_source, "module tpm_rng was not loaded: No such device", ENODEV};

TEST(ModuleLoader, LoadsWhatIsConfiguredOnce)
{
	Loading m;
	m.look();
	EXPECT_EQ(m.tries, std::vector<std::string>{"tpm_rng"});
	EXPECT_EQ(m.loaded, 1U);
	m.look();
	EXPECT_EQ(m.tries.size(), 1U);
	// The administrator's decision.
	m.unload("tpm_rng");
	m.look();
	m.wait(24h);
	EXPECT_EQ(m.tries.size(), 1U);
	m.config.modules = {"tpm_rng", "cpu_rng"};
	m.look();
	EXPECT_EQ(m.tries, (std::vector<std::string>{"tpm_rng", "cpu_rng"}));
	EXPECT_EQ(m.loaded, 2U);
}

TEST(ModuleLoader, TriesAgainWithGrowingPausesUntilTheChipIsThere)
{
	Loading m;
	m.error = no_device;
	testing::internal::CaptureStderr();
	m.look();
	EXPECT_EQ(m.tries.size(), 1U);
	auto pause = ModuleLoader::first_pause;
	for (size_t n = 1; n < 20; n++) {
		m.look(); // which alone is no reason to try again
		m.wait(pause - 1ms);
		EXPECT_EQ(m.tries.size(), n) << pause;
		m.wait(1ms);
		EXPECT_EQ(m.tries.size(), n + 1) << pause;
		pause = std::min(2 * pause, ModuleLoader::longest_pause);
	}
	EXPECT_EQ(pause, ModuleLoader::longest_pause);
	m.error.reset();
	m.wait(pause);
	EXPECT_EQ(m.tries.size(), 21U);
	EXPECT_EQ(m.loaded, 1U);
	m.wait(24h);
	EXPECT_EQ(m.tries.size(), 21U);
	const auto log = testing::internal::GetCapturedStderr();
	EXPECT_EQ(log, "hwrngd: module tpm_rng was not loaded: No such device; hwrngd will try again\n"
	               "hwrngd: loaded the module tpm_rng\n");
}

TEST(ModuleLoader, AnotherTpmStartsAnew)
{
	Loading m;
	m.error = no_device;
	m.look();
	for (int i = 0; i < 10; i++)
		m.wait(ModuleLoader::longest_pause);
	const auto before = m.tries.size();
	m.inventory.tpms.push_back({.name = "tpm1", .version = "2.0", .description = "", .hwrng = {}});
	m.look();
	EXPECT_EQ(m.tries.size(), before + 1);
	m.wait(ModuleLoader::first_pause);
	EXPECT_EQ(m.tries.size(), before + 2);
}

TEST(ModuleLoader, DoesNotTryAgainWithoutATpmOrIfUdevWasFaster)
{
	Loading m;
	m.error = no_device;
	m.look();
	const auto tpms = std::exchange(m.inventory.tpms, {});
	m.look();
	m.wait(ModuleLoader::first_pause);
	EXPECT_EQ(m.tries.size(), 1U);
	m.inventory.tpms = tpms;
	m.look();
	EXPECT_EQ(m.tries.size(), 2U);
	m.tree.file("/sys/module/tpm_rng/refcnt", "0\n");
	m.wait(24h);
	EXPECT_EQ(m.tries.size(), 2U);
	EXPECT_EQ(m.loaded, 0U);
}

TEST(ModuleLoader, OtherErrorsDoNotGoAway)
{
	Loading m;
	m.config.modules = {"tpm_rng", "cpu_rng"};
	m.error = Error{ExitCode::not_permitted, "not signed", EPERM};
	testing::internal::CaptureStderr();
	m.look();
	m.look();
	m.wait(24h);
	EXPECT_EQ(m.tries, (std::vector<std::string>{"tpm_rng", "cpu_rng"}));
	EXPECT_EQ(testing::internal::GetCapturedStderr(), "hwrngd: not signed\nhwrngd: not signed\n");
	// Nor does a missing instruction of the CPU.
	Loading other;
	other.config.modules = {"cpu_rng"};
	other.error = no_device;
	other.look();
	other.wait(24h);
	EXPECT_EQ(other.tries.size(), 1U);
}

TEST(ModuleLoader, ATpmThatTheKernelServesNeedsNoModule)
{
	Loading m;
	m.inventory.tpms[0].hwrng = "tpm-rng-0";
	testing::internal::CaptureStderr();
	m.look();
	m.look();
	EXPECT_TRUE(m.tries.empty());
	EXPECT_EQ(
	    testing::internal::GetCapturedStderr(),
	    "hwrngd: module tpm_rng is not loaded: the kernel already serves tpm0 as tpm-rng-0\n");
	// Later it does no more. hwrngctl, which looks again, can find it unneeded all the same.
	m.inventory.tpms[0].hwrng.reset();
	m.works = false;
	m.look();
	m.wait(24h);
	EXPECT_EQ(m.tries.size(), 1U);
	EXPECT_EQ(m.loaded, 0U);
}

TEST(ModuleLoader, ACpuThatTheKernelDoesNotTrustIsNotServed)
{
	Loading m;
	m.config.modules = {"cpu_rng"};
	m.inventory.cpu_distrust = "no trust";
	testing::internal::CaptureStderr();
	m.look();
	EXPECT_TRUE(m.tries.empty());
	EXPECT_EQ(
	    testing::internal::GetCapturedStderr(),
	    "hwrngd: module cpu_rng is not loaded: no trust, and no `credit` is configured for the "
	    "CPU\n");
	m.config.sources["rdseed"].credit = 128;
	m.look();
	EXPECT_EQ(m.tries, std::vector<std::string>{"cpu_rng"});
}

} // namespace
