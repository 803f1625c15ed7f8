// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/interrupt.h"
#include "pipeline_machine.h"

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

using Steps = std::vector<SourceState>;
using enum SourceState;

TEST(Pipeline, OneFeedReadsEveryHealthySource)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.has("hwrng", SourceKind::hwrng);
	m.begin();
	for (const char *name : {"cpu", "tpm", "hwrng"}) {
		EXPECT_EQ(m.steps[name], (Steps{starting, healthy})) << name;
		EXPECT_GE(m.source(name).life.tests().fips().blocks, 1U) << "one whole block is read first";
	}
	const auto before = m.sink.taken;
	const auto feeds = m.pipeline.feeds();
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.sink.taken - before, 3U * 512);
	EXPECT_EQ(m.pipeline.feeds() - feeds, 1U) << "one reseed for all of them";
	EXPECT_EQ(m.feeds, m.pipeline.feeds()) << "and each is reported";
	EXPECT_EQ(m.sink.credited, m.sink.taken * 4) << "half of eight bits per byte";
}

TEST(Pipeline, TheFirstFeedDoesNotWaitForOtherSources)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.behaviour->hold("tpm");
	m.pipeline.apply(m.decision);
	m.pipeline.feed();
	m.run_until([&] { return m.feeds > 0; });
	m.behaviour->let_go("tpm");
	m.run();
	EXPECT_FALSE(m.first_feed_waited);
	EXPECT_EQ(m.steps["tpm"], (Steps{starting, healthy}));
}

TEST(Pipeline, BytesOfTheStartUpTestAreNotFed)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.begin();
	const auto &counts = m.source("cpu").counts;
	EXPECT_EQ(counts.bytes_read - counts.bytes_fed, 1024U);
}

TEST(Pipeline, ABadSourceIsNotUsedAndTheOthersGoOn)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.begin();
	m.behaviour->set("tpm", Behaviour::zeros);
	const auto tpm_fed = m.source("tpm").counts.bytes_fed;
	const auto cpu_fed = m.source("cpu").counts.bytes_fed;
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.steps["tpm"], (Steps{starting, healthy, quarantined}));
	EXPECT_EQ(m.source("tpm").counts.bytes_fed, tpm_fed);
	EXPECT_EQ(m.source("cpu").counts.bytes_fed, cpu_fed + 512);
	// It is not read any more either.
	const auto reads = m.behaviour->reads["tpm"];
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.behaviour->reads["tpm"], reads);
}

TEST(Pipeline, ErrorsEndOfDataAndStallsLeadToQuarantine)
{
	for (const auto kind : {Behaviour::broken, Behaviour::ended, Behaviour::closed}) {
		Machine m;
		m.has("tpm", SourceKind::tpm2);
		m.begin();
		m.behaviour->set("tpm", kind);
		m.pipeline.feed();
		m.run();
		EXPECT_EQ(m.steps["tpm"], (Steps{starting, healthy, suspect, quarantined})) << kind;
		EXPECT_EQ(m.source("tpm").counts.read_errors, 2U);
	}
	Machine m;
	m.has("tpm", SourceKind::tpm2);
	m.behaviour->set("tpm", Behaviour::stalled);
	m.begin();
	EXPECT_EQ(m.steps["tpm"], (Steps{starting, quarantined}));
}

TEST(Pipeline, AMissingSourceIsReportedAndNotReadAgainAtOnce)
{
	Machine m;
	m.has("tpm", SourceKind::tpm2);
	m.begin();
	m.behaviour->set("tpm", Behaviour::gone);
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.lost, (std::vector<std::string>{"tpm"}));
	EXPECT_EQ(m.steps["tpm"], (Steps{starting, healthy, suspect}));
}

TEST(Pipeline, UseByAnotherProgramIsNotAFaultOfTheSource)
{
	Machine m;
	m.has("hwrng", SourceKind::hwrng);
	m.begin();
	m.behaviour->set("hwrng", Behaviour::taken);
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.source("hwrng").life.state(), healthy);
	EXPECT_EQ(m.source("hwrng").counts.read_errors, 0U);
}

TEST(Pipeline, ASlowSourceDoesNotDelayOthers)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.behaviour->hold("tpm");
	m.pipeline.apply(m.decision);
	m.pipeline.feed();
	m.run_until([&] { return m.source("cpu").life.state() == healthy; });
	EXPECT_EQ(m.source("tpm").life.state(), starting);
	EXPECT_GT(m.sink.taken, 0U);
	m.behaviour->let_go("tpm");
	m.run();
	EXPECT_EQ(m.source("tpm").life.state(), healthy);
}

TEST(Pipeline, ASourceThatBecomesFarSlowerIsSuspect)
{
	Machine m;
	m.has("tpm", SourceKind::tpm2);
	m.begin();
	m.behaviour->delay["tpm"] = 2ms;
	for (int i = 0; i < 1000; i++) { // one window of RateTest
		m.pipeline.feed();
		m.run();
	}
	ASSERT_EQ(m.source("tpm").life.state(), healthy);
	m.behaviour->delay["tpm"] = 250ms;
	for (int i = 0; i < 20 && m.source("tpm").life.state() == healthy; i++) {
		m.pipeline.feed();
		m.run_until([&] { return !m.pipeline.busy() || m.source("tpm").life.state() == suspect; });
	}
	EXPECT_EQ(m.source("tpm").life.state(), suspect);
	EXPECT_NE(m.source("tpm").life.path().back().reason.find("its rate fell from "),
	          std::string::npos)
	    << m.source("tpm").life.path().back().reason;
}

TEST(Pipeline, ASourceThatAnswersLateIsSuspect)
{
	for (const auto &[delay, late] : {std::pair{2000ms, false}, std::pair{2001ms, true}}) {
		Machine m;
		m.has("tpm", SourceKind::tpm2);
		m.begin();
		m.behaviour->delay["tpm"] = delay;
		m.pipeline.feed();
		m.run_until([&] { return m.source("tpm").counts.worst_latency >= delay; });
		EXPECT_EQ(std::ranges::count(m.steps["tpm"], suspect), late ? 1 : 0);
	}
}

TEST(Pipeline, ASourceIsReadAgainWhenItsQuarantineEnds)
{
	Machine m;
	m.has("tpm", SourceKind::tpm2);
	m.behaviour->set("tpm", Behaviour::stalled);
	m.begin();
	ASSERT_EQ(m.source("tpm").life.state(), quarantined);
	m.behaviour->set("tpm", Behaviour::good);
	m.wait(Backoff().first - 1ms);
	EXPECT_EQ(m.source("tpm").life.state(), quarantined);
	m.wait(1ms);
	EXPECT_EQ(m.source("tpm").life.state(), starting);
	m.run();
	EXPECT_EQ(m.source("tpm").life.state(), healthy);
}

TEST(Pipeline, NewBytesAreUsedWithinASecondHoweverSlowTheOthersAre)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.begin();
	m.behaviour->hold("tpm");
	const auto reseeds = m.sink.reseeds;
	const auto taken = m.sink.taken;
	m.pipeline.feed();
	m.run_until([&] { return m.sink.taken > taken; });
	m.wait(249ms);
	EXPECT_EQ(m.sink.reseeds, reseeds) << "another source may still come in time";
	m.wait(1ms);
	EXPECT_EQ(m.sink.reseeds, reseeds + 1);
	EXPECT_TRUE(m.pipeline.busy());
	m.behaviour->let_go("tpm");
	m.run();
	EXPECT_EQ(m.sink.reseeds, reseeds + 2);
}

TEST(Pipeline, KeepsFeedingUntilTheSinkIsReady)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.sink.ready_at = 100'000;
	m.begin();
	EXPECT_GE(m.sink.credited, 100'000U);
	EXPECT_LT(m.sink.credited, 100'000U + 4096);
}

TEST(Pipeline, ASourceWithoutCreditDoesNotSpinWhileTheSinkIsNotReady)
{
	Machine m;
	m.config.sources["cpu"].credit = 0;
	m.pipeline.configure(m.config);
	m.has("cpu", SourceKind::cpu);
	m.sink.ready_at = 1;
	m.begin();
	EXPECT_GT(m.sink.taken, 0U);
	EXPECT_EQ(m.sink.credited, 0U);
}

TEST(Pipeline, CreditIsLimitedByTheAssessment)
{
	Machine m;
	m.config.sources["cpu"].assessed = 128;
	m.pipeline.configure(m.config);
	m.has("cpu", SourceKind::cpu);
	m.begin();
	EXPECT_EQ(m.sink.credited, m.sink.taken);
}

TEST(Pipeline, CreditIsLimitedByTheRoomInAnOldKernelsPool)
{
	Machine m;
	m.sink.holds = PoolLevel{.available = 800, .threshold = 896, .size = 4096};
	m.has("cpu", SourceKind::cpu);
	m.begin();
	const auto pieces = m.sink.taken / 512;
	EXPECT_GT(pieces, 0U);
	EXPECT_EQ(m.sink.credited, pieces * (2048 - 800));
	m.sink.holds->available = 900;
	const auto credited = m.sink.credited;
	const auto taken = m.sink.taken;
	m.pipeline.feed();
	m.run();
	EXPECT_GT(m.sink.taken, taken) << "the bytes are mixed in anyway";
	EXPECT_EQ(m.sink.credited, credited);
}

TEST(Pipeline, OtherHwrngsAreProbedWhenNoSourceIsBeingRead)
{
	Machine m;
	m.has("used", SourceKind::hwrng);
	m.has("probed", SourceKind::hwrng, Use::probe);
	m.begin();
	EXPECT_EQ(m.steps["probed"], (Steps{starting, healthy}));
	EXPECT_EQ(m.source("probed").counts.bytes_read, 4096U);
	// After that, only every probe_interval.
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.source("probed").counts.bytes_read, 4096U);
	m.wait(m.config.probe_interval);
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.source("probed").counts.bytes_read, 2U * 4096);
}

TEST(Pipeline, ASourceThatVanishesIsNotReadUntilItReturns)
{
	Machine m;
	m.has("tpm", SourceKind::tpm2);
	m.begin();
	m.pipeline.apply({});
	EXPECT_EQ(m.source("tpm").life.state(), absent);
	const auto reads = m.behaviour->reads["tpm"];
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.behaviour->reads["tpm"], reads);
	m.pipeline.apply(m.decision);
	m.run();
	EXPECT_EQ(m.steps["tpm"], (Steps{starting, healthy, absent, starting, healthy}));
	m.decision.sources[0].use = Use::ignore;
	m.decision.sources[0].reason = "denied";
	m.pipeline.apply(m.decision);
	EXPECT_EQ(m.source("tpm").life.path().back().reason, "denied");
}

TEST(Pipeline, NoSourceIsNotAnError)
{
	Machine m;
	m.begin();
	EXPECT_TRUE(m.pipeline.states().empty());
	EXPECT_EQ(m.pipeline.feeds(), 0U);
	EXPECT_FALSE(m.pipeline.last_feed());
}

TEST(Pipeline, AnErrorOfTheSinkIsReported)
{
	Machine m;
	m.sink.refuses = true;
	m.has("cpu", SourceKind::cpu);
	m.begin();
	ASSERT_FALSE(m.errors.empty());
	EXPECT_EQ(m.source("cpu").counts.bytes_fed, 0U);
	EXPECT_EQ(m.sink.reseeds, 0U);
	EXPECT_EQ(m.pipeline.feeds(), 0U);
}

TEST(Pipeline, AFeedThatTheSinkDoesNotUseIsNotCounted)
{
	Machine m;
	m.sink.refuses_reseeds = true;
	m.has("cpu", SourceKind::cpu);
	m.begin();
	EXPECT_GT(m.sink.taken, 0U);
	EXPECT_FALSE(m.errors.empty());
	EXPECT_EQ(m.pipeline.feeds(), 0U);
	EXPECT_FALSE(m.pipeline.last_feed());
	m.sink.refuses_reseeds = false;
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.pipeline.feeds(), 1U);
}

TEST(Pipeline, AThreadThatStillReadsIsLeftBehind)
{
	auto m = std::make_unique<Machine>();
	m->has("tpm", SourceKind::tpm2);
	m->behaviour->hold("tpm");
	m->pipeline.apply(m->decision);
	EXPECT_TRUE(m->pipeline.busy());
	const auto behaviour = m->behaviour;
	const auto reads = [&] {
		const std::lock_guard lock(behaviour->mutex);
		return behaviour->reads["tpm"];
	};
	const auto limit = std::chrono::steady_clock::now() + 20s;
	while (reads() == 0 && std::chrono::steady_clock::now() < limit)
		std::this_thread::yield();
	m.reset();
	behaviour->let_go("tpm");
	while (behaviour.use_count() > 1 && std::chrono::steady_clock::now() < limit)
		std::this_thread::yield();
	EXPECT_EQ(behaviour.use_count(), 1)
	    << "the thread has ended, and used nothing that no longer exists";
}

TEST(Pipeline, AnInterruptEndsAllReads)
{
	Machine m;
	m.has("tpm", SourceKind::tpm2);
	m.begin();
	interrupt_reads(15);
	m.pipeline.feed();
	EXPECT_FALSE(m.pipeline.busy());
	interrupt_reads(0);
}

} // namespace
