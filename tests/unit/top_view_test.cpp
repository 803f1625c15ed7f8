// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/top_view.h"

#include <functional>

#include <gtest/gtest.h>

namespace hwrngd {
namespace {

/// Two samples of a machine with virtio_rng.0, which the kernel uses, and `sources` of the daemon.
class WatchedMachine {
public:
	explicit WatchedMachine(int sources = 1)
	{
		Inventory inventory{.kernel = "6.1.0-56-cloud-amd64",
		                    .architecture = "x86_64",
		                    .crng_ready = true,
		                    .entropy_available = 256,
		                    .pool_size = 256,
		                    .hwrng = HwrngState{},
		                    .sources = {},
		                    .tpms = {},
		                    .cpu_instructions = {}};
		inventory.hwrng->current = "virtio_rng.0";
		inventory.sources.push_back(
		    {.name = "virtio_rng.0", .driver = "virtio_rng", .current = true});
		before.inventory = now.inventory = inventory;
		before.time = before.steady = 1000;
		now.time = now.steady = 1002;
		for (int i = 0; i < sources; i++)
			daemon.sources.push_back(source(i));
	}

	static SourceStatus source(int i)
	{
		SourceStatus source;
		source.name = "source" + std::to_string(i);
		source.kind = "generator";
		source.claim = 512;
		source.use = "read";
		source.state = "healthy";
		source.bytes_read = 1000;
		source.bytes_fed = 500;
		source.bytes_drawn = 400;
		source.fips_failures = 3;
		source.latency = {.reads = 10, .sum = 10, .buckets = {}};
		source.path = {
		    {.time = 900.0 + i, .from = "starting", .to = "healthy", .reason = "passed"}};
		return source;
	}

	/// Fills both samples; the second one has `change` applied to the first source.
	void later(const std::function<void(SourceStatus &)> &change = [](auto &) {})
	{
		before.daemon = daemon;
		now.daemon = daemon;
		now.daemon->started = 900.00001; // the start time is not exact
		change(now.daemon->sources.at(0));
		before.rows = source_rows(before.inventory, before.daemon);
		now.rows = source_rows(now.inventory, now.daemon);
	}

	[[nodiscard]] std::string screen(const TopView &view) const
	{
		std::string text;
		for (const auto &line : top_lines(before, now, {}, view))
			text += line.text + "\n";
		return text;
	}

	TopSample before;
	TopSample now;
	DaemonStatus daemon{.version = "1",
	                    .pid = 240,
	                    .started = 900,
	                    .feeds = 5,
	                    .last_feed = {},
	                    .rng_current = {},
	                    .rng_chosen = {},
	                    .rng_reason = {},
	                    .config_error = {},
	                    .egd = {},
	                    .sources = {}};
};

TEST(TopView, FillsAScreenOfAnySizeExactly)
{
	WatchedMachine machine(30);
	machine.later();
	for (const size_t width : {0U, 1U, 40U, 80U, 200U})
		for (const size_t height : {1U, 2U, 10U, 24U, 50U})
			for (const bool help : {false, true}) {
				const auto lines =
				    top_lines(machine.before, machine.now, {},
				              {.width = width, .height = height, .help = help, .message = {}});
				EXPECT_EQ(lines.size(), height);
				for (const auto &line : lines)
					EXPECT_LE(line.text.size(), width);
			}
}

TEST(TopView, RatesAreThoseBetweenTwoSamples)
{
	WatchedMachine machine;
	machine.later([](SourceStatus &source) {
		source.bytes_read = 6000;
		source.bytes_fed = 3500;
		source.bytes_drawn = 2400;
		source.latency.reads = 14;
		source.latency.sum = 10.02;
	});
	const auto did = activity(machine.before, machine.now, machine.now.rows.at(1));
	EXPECT_TRUE(did.known);
	EXPECT_DOUBLE_EQ(did.bytes_read, 2500);
	EXPECT_DOUBLE_EQ(did.bytes_fed, 1500);
	EXPECT_DOUBLE_EQ(did.bytes_drawn, 1000);
	EXPECT_NEAR(did.latency, 0.005, 1e-9);
	const auto screen = machine.screen({.message = {}});
	EXPECT_NE(screen.find(
	              "source0           healthy       2.5k   1.5k    1.0k     3    0  ####.... 5.0ms"),
	          std::string::npos)
	    << screen;
	EXPECT_NE(screen.find("*virtio_rng.0      -                -      -       -     -    -\n"),
	          std::string::npos)
	    << screen;
}

TEST(TopView, SettingTheClockDoesNotChangeRates)
{
	WatchedMachine machine;
	machine.later([](SourceStatus &source) { source.bytes_read = 6000; });
	for (const double set_by : {-3600.0, -1.5, 3600.0}) {
		machine.now.time = 1002 + set_by;
		const auto did = activity(machine.before, machine.now, machine.now.rows.at(1));
		EXPECT_TRUE(did.known);
		EXPECT_DOUBLE_EQ(did.bytes_read, 2500) << set_by;
	}
}

TEST(TopView, CountsThatDecreasedGiveNoRates)
{
	const std::vector<std::function<void(SourceStatus &)>> ways_back{
	    [](auto &source) { source.bytes_read = 900; }, [](auto &source) { source.bytes_fed = 400; },
	    [](auto &source) { source.bytes_drawn = 300; },
	    [](auto &source) { source.latency = {.reads = 9, .sum = 11, .buckets = {}}; },
	    [](auto &source) { source.latency = {.reads = 11, .sum = 9, .buckets = {}}; }};
	for (size_t i = 0; i < ways_back.size(); i++) {
		WatchedMachine machine;
		machine.later([&](SourceStatus &source) {
			source.bytes_read = 6000;
			ways_back[i](source);
		});
		const auto did = activity(machine.before, machine.now, machine.now.rows.at(1));
		EXPECT_FALSE(did.known) << i;
		EXPECT_GT(did.latency, 0.5) << i; // since the daemon began
	}
}

TEST(TopView, AnotherDaemonHasNoRatesYet)
{
	WatchedMachine machine;
	machine.later([](SourceStatus &source) { source.bytes_read = 6000; });
	machine.now.daemon->pid = 241;
	EXPECT_FALSE(activity(machine.before, machine.now, machine.now.rows.at(1)).known);
	const auto changes = changes_between(machine.before, machine.now);
	ASSERT_EQ(changes.size(), 1U);
	EXPECT_EQ(changes[0].text, "hwrngd is running as pid 241");
	machine.now.daemon.reset();
	EXPECT_EQ(changes_between(machine.before, machine.now).at(0).text,
	          "hwrngd is no longer running");
	EXPECT_NE(machine.screen({.message = {}}).find("hwrngd is not running"), std::string::npos);
	machine.now.no_answer = "status: permission denied";
	EXPECT_NE(machine.screen({.message = {}}).find("status: permission denied"), std::string::npos);
	EXPECT_EQ(changes_between(machine.before, machine.now).at(0).text, "hwrngd does not answer");
	EXPECT_EQ(changes_between(machine.now, machine.before).at(0).text,
	          "hwrngd answers again as pid " + std::to_string(machine.before.daemon->pid));
	auto gone = machine.now;
	gone.no_answer.clear();
	EXPECT_EQ(changes_between(machine.now, gone).at(0).text, "hwrngd is no longer running");
	EXPECT_TRUE(changes_between(machine.now, machine.now).empty());
}

TEST(TopView, TheNewestChangesAreShownFirst)
{
	WatchedMachine machine(2);
	machine.later([](SourceStatus &source) {
		source.state = "quarantined";
		source.path = {{.time = 950, .from = "healthy", .to = "quarantined", .reason = "bad"}};
	});
	machine.now.inventory.hwrng->current = "tpm_rng.0";
	const auto seen = changes_between(machine.before, machine.now);
	const auto lines = top_lines(machine.before, machine.now, seen, {.message = {}});
	const auto at = std::ranges::find(lines, "CHANGES", &TopLine::text);
	ASSERT_GT(lines.end() - at, 3);
	EXPECT_NE(at[1].text.find("rng_current is tpm_rng.0, was virtio_rng.0"), std::string::npos);
	EXPECT_NE(at[2].text.find("source0: quarantined, was healthy: bad"), std::string::npos);
	EXPECT_EQ(at[2].look, Look::bad);
	EXPECT_NE(at[3].text.find("source1: healthy, was starting: passed"), std::string::npos);
	EXPECT_EQ(at[3].look, Look::plain);
}

TEST(TopView, RowsAreSortedAndScrolled)
{
	WatchedMachine machine(30);
	machine.later([](SourceStatus &source) { source.bytes_read = 9000; });
	const auto first = [&](const TopView &view) {
		return top_lines(machine.before, machine.now, {}, view).at(5).text.substr(0, 14);
	};
	EXPECT_EQ(first({.message = {}}), "*virtio_rng.0 ");
	EXPECT_EQ(first({.first = 3, .message = {}}), " source2      ");
	EXPECT_EQ(first({.order = TopOrder::read, .message = {}}), " source0      ");
	EXPECT_EQ(first({.order = TopOrder::name, .message = {}}), " source0      ");
	EXPECT_EQ(first({.order = TopOrder::name, .reversed = true, .message = {}}), "*virtio_rng.0 ");
	EXPECT_EQ(rows_shown(machine.now, {.message = {}}), 13U);
	EXPECT_NE(machine.screen({.first = 99, .message = {}}).find("(19 to 31 of 31 sources)"),
	          std::string::npos);
}

TEST(TopView, AnAbsentSourceThatTheDaemonDoesNotUseHasNoFigures)
{
	WatchedMachine machine;
	for (auto *sample : {&machine.before, &machine.now})
		sample->inventory.sources.push_back({.name = "late", .driver = {}, .absent = "is absent"});
	machine.later();
	const auto screen = machine.screen({.message = {}});
	EXPECT_TRUE(
	    screen.contains(" late              absent           -      -       -     -    -\n"))
	    << screen;
	EXPECT_FALSE(activity(machine.before, machine.now, machine.now.rows.at(1)).known);
}

TEST(TopView, NamesCannotCommandTheTerminal)
{
	WatchedMachine machine;
	machine.later();
	machine.now.inventory.kernel = "6.1\033[2J\xff";
	EXPECT_NE(machine.screen({.message = {}}).find("Kernel 6.1?[2J?,"), std::string::npos);
}

} // namespace
} // namespace hwrngd
