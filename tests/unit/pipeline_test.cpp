// SPDX-License-Identifier: GPL-2.0-or-later
#include "pool/pipeline.h"

#include "aes_ctr.h"
#include "interrupt.h"

#include <condition_variable>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

/// Remembers what it was given.
class TestSink : public Sink {
public:
	Result<void> add(std::span<const uint8_t> bytes, uint64_t bits) override
	{
		if (refuses)
			return fail_errno(EPERM, "the sink");
		taken += bytes.size();
		credited += bits;
		return {};
	}
	Result<bool> reseed() override
	{
		reseeds++;
		return true;
	}
	std::optional<PoolLevel> level() override { return holds; }
	bool ready() override { return credited >= ready_at; }

	uint64_t taken = 0;
	uint64_t credited = 0;
	unsigned reseeds = 0;
	uint64_t ready_at = 0;
	std::optional<PoolLevel> holds;
	bool refuses = false;
};

/// What the fake sources do, changed while they are read.
struct Behaviour {
	enum Kind : uint8_t { good, zeros, broken, ended, stalled, closed, gone, taken };

	std::mutex mutex; // guards all below
	std::condition_variable changed;
	std::map<std::string, Kind> kind;
	std::map<std::string, std::chrono::milliseconds> delay;
	std::map<std::string, unsigned> reads;
	AesCtr random;

	void set(const std::string &name, Kind value)
	{
		const std::lock_guard lock(mutex);
		kind[name] = value;
		changed.notify_all();
	}
};

class FakeReading : public Reading, public Source {
public:
	FakeReading(std::string name, std::shared_ptr<Behaviour> behaviour)
	    : name_(std::move(name)), behaviour_(std::move(behaviour))
	{
	}
	Source &source() override { return *this; }
	Result<void> end(bool /*failed*/) override { return {}; }
	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		std::unique_lock lock(behaviour_->mutex);
		behaviour_->reads[name_]++;
		if (const auto delay = behaviour_->delay[name_]; delay.count() > 0)
			behaviour_->changed.wait_for(lock, delay, [] { return false; });
		switch (behaviour_->kind[name_]) {
		case Behaviour::good:
			behaviour_->random.fill(out);
			return out.size();
		case Behaviour::zeros:
			std::fill(out.begin(), out.end(), uint8_t{0});
			return out.size();
		case Behaviour::ended:
			return 0;
		case Behaviour::stalled:
			return fail_stalled(name_, limit);
		case Behaviour::gone:
			return fail_errno(ENODEV, name_);
		case Behaviour::taken:
			return fail(ExitCode::unavailable, "somebody else reads it");
		default:
			return fail_errno(EIO, name_);
		}
	}

private:
	std::string name_;
	std::shared_ptr<Behaviour> behaviour_;
};

struct Machine {
	Machine()
	    : pipeline(
	          io, sink,
	          {.open = [b = behaviour](const SourceInfo &info) -> Result<std::unique_ptr<Reading>> {
		           {
			           const std::lock_guard lock(b->mutex);
			           if (b->kind[info.name] == Behaviour::closed)
				           return fail_errno(EACCES, info.name);
		           }
		           return std::make_unique<FakeReading>(info.name, b);
	           },
	           .on_step = [this](const std::string &source,
	                             const Step &step) { steps[source].push_back(step.to); },
	           .on_lost = [this](const std::string &source) { lost.push_back(source); },
	           .on_feed =
	               [this] {
		               if (feeds++ == 0)
			               first_feed_waited = !pipeline.busy();
	               },
	           .on_error = [this](const Error &error) { errors.push_back(error.message); }})
	{
		pipeline.configure(config);
	}

	void has(const std::string &name, SourceKind kind, Use use = Use::read)
	{
		decision.sources.push_back({{name, kind, "", 1024, use == Use::read}, use, "told"});
	}
	/// Runs the event loop until nobody reads any more.
	void run()
	{
		const auto until = std::chrono::steady_clock::now() + 20s;
		do {
			io.restart();
			io.run_one_until(std::min(until, std::chrono::steady_clock::now() + 50ms));
		} while (pipeline.busy() && std::chrono::steady_clock::now() < until);
		ASSERT_FALSE(pipeline.busy());
	}
	void begin()
	{
		pipeline.apply(decision);
		pipeline.feed();
		run();
	}
	[[nodiscard]] const PipelineSource &source(const std::string &name) const
	{
		return pipeline.sources().at(name);
	}

	asio::io_context io;
	TestSink sink;
	std::shared_ptr<Behaviour> behaviour = std::make_shared<Behaviour>();
	std::map<std::string, std::vector<SourceState>> steps;
	std::vector<std::string> errors;
	uint64_t feeds = 0; // that were told
	bool first_feed_waited = true;
	std::vector<std::string> lost;
	Config config;
	Decision decision;
	Pipeline pipeline;
};

using Steps = std::vector<SourceState>;
using enum SourceState;

TEST(Pipeline, OneFeedTakesFromEveryHealthySource)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.has("hwrng", SourceKind::hwrng);
	m.begin();
	for (const char *name : {"cpu", "tpm", "hwrng"}) {
		EXPECT_EQ(m.steps[name], (Steps{starting, healthy})) << name;
		EXPECT_GE(m.source(name).life.tests().fips().blocks, 1U)
		    << "one whole block is wanted first";
	}
	const auto before = m.sink.taken;
	const auto feeds = m.pipeline.feeds();
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.sink.taken - before, 3U * 512);
	EXPECT_EQ(m.pipeline.feeds() - feeds, 1U) << "one reseed for all of them";
	EXPECT_EQ(m.feeds, m.pipeline.feeds()) << "and each is told";
	EXPECT_EQ(m.sink.credited, m.sink.taken * 4) << "half of eight bits a byte";
}

/// What a draw brought.
struct Drawn {
	Pipeline::Taker taker()
	{
		return {.take =
		            [this](auto some, auto worth) {
			            bytes += some.size();
			            bits += worth;
		            },
		        .end = [this] { ends++; }};
	}
	uint64_t bytes = 0;
	uint64_t bits = 0;
	unsigned ends = 0;
};

TEST(Pipeline, WhatIsDrawnIsNotFed)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.config.sources["tpm"].credit = 100;
	m.pipeline.configure(m.config);
	m.begin();
	const auto fed = m.sink.taken;
	const auto feeds = m.pipeline.feeds();
	Drawn drawn;
	m.pipeline.draw(drawn.taker());
	Drawn second;
	m.pipeline.draw(second.taker());
	m.run();
	EXPECT_EQ(drawn.bytes, 2U * 4096);
	EXPECT_EQ(drawn.bits, 4096U * 4 + 4096U * 8 * 100 / 1024);
	EXPECT_EQ(drawn.ends, 1U);
	EXPECT_EQ(second.bytes + second.ends, 0U) << "one at a time";
	EXPECT_EQ(m.sink.taken, fed);
	EXPECT_EQ(m.pipeline.feeds(), feeds);
	EXPECT_EQ(m.source("cpu").counts.bytes_drawn, 4096U);
	m.pipeline.draw(second.taker());
	m.run();
	EXPECT_EQ(second.ends, 1U);
}

TEST(Pipeline, AFeedWaitsForTheDrawAndIsNotForgotten)
{
	Machine m;
	m.has("tpm", SourceKind::tpm2);
	m.begin();
	const auto fed = m.sink.taken;
	Drawn drawn;
	m.pipeline.draw(drawn.taker());
	m.pipeline.feed();
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(drawn.bytes, 4096U);
	EXPECT_EQ(m.sink.taken - fed, 512U) << "once";
}

TEST(Pipeline, NothingIsDrawnFromTheSickNorFromWhatIsWorthNothing)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.has("hwrng", SourceKind::hwrng);
	m.config.sources["tpm"].credit = 0;
	m.pipeline.configure(m.config);
	m.behaviour->set("cpu", Behaviour::zeros);
	m.begin();
	m.behaviour->set("hwrng", Behaviour::zeros);
	Drawn drawn;
	m.pipeline.draw(drawn.taker());
	m.run();
	EXPECT_EQ(drawn.bytes, 0U) << "the tests saw it";
	EXPECT_EQ(m.steps["hwrng"].back(), quarantined);
	EXPECT_EQ(m.source("tpm").counts.bytes_drawn, 0U);
	EXPECT_EQ(drawn.ends, 1U);
	m.pipeline.draw(drawn.taker());
	m.io.restart();
	m.io.run_for(1ms);
	EXPECT_EQ(drawn.ends, 2U) << "it is told that there is nobody";
}

TEST(Pipeline, TheKernelComesFirst)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.begin();
	m.sink.ready_at = ~uint64_t{0};
	Drawn drawn;
	m.pipeline.draw(drawn.taker());
	m.io.restart();
	m.io.run_for(1ms);
	EXPECT_EQ(drawn.ends, 1U);
	EXPECT_EQ(drawn.bytes, 0U);
}

TEST(Pipeline, TheFirstFeedWaitsForNobodyElse)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.behaviour->delay["tpm"] = 20ms;
	m.begin();
	EXPECT_FALSE(m.first_feed_waited);
	EXPECT_EQ(m.steps["tpm"], (Steps{starting, healthy}));
}

TEST(Pipeline, NothingOfTheStartUpTestIsFed)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.begin();
	const auto &counts = m.source("cpu").counts;
	EXPECT_EQ(counts.bytes_read - counts.bytes_fed, 1024U);
}

TEST(Pipeline, ASickSourceIsNotFedFromAndTheOthersGoOn)
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
	// Nor is it read any more.
	const auto reads = m.behaviour->reads["tpm"];
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.behaviour->reads["tpm"], reads);
}

TEST(Pipeline, ErrorsEndingsAndStallsQuarantine)
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

TEST(Pipeline, ASourceThatIsNotThereIsToldAndNotAskedAgainAtOnce)
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

TEST(Pipeline, ThatSomebodyElseReadsItIsNotTheSourcesFault)
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

TEST(Pipeline, ASlowSourceKeepsNobodyWaiting)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.behaviour->delay["tpm"] = 300ms;
	m.pipeline.apply(m.decision);
	m.pipeline.feed();
	while (m.source("cpu").life.state() != healthy)
		m.io.run_one();
	EXPECT_EQ(m.source("tpm").life.state(), starting);
	EXPECT_GT(m.sink.taken, 0U);
	m.run();
	EXPECT_EQ(m.source("tpm").life.state(), healthy);
}

TEST(Pipeline, ASourceThatBecomesFarSlowerIsSuspect)
{
	Machine m;
	m.has("tpm", SourceKind::tpm2);
	m.begin();
	for (int i = 0; i < 1000; i++) {
		m.pipeline.feed();
		m.run();
	}
	ASSERT_EQ(m.source("tpm").life.state(), healthy);
	{
		const std::lock_guard lock(m.behaviour->mutex);
		m.behaviour->delay["tpm"] = 250ms;
	}
	const auto until = std::chrono::steady_clock::now() + 20s;
	while (m.source("tpm").life.state() == healthy && std::chrono::steady_clock::now() < until) {
		m.pipeline.feed();
		m.io.restart();
		m.io.run_one_until(std::chrono::steady_clock::now() + 500ms);
	}
	EXPECT_EQ(m.source("tpm").life.state(), suspect);
	EXPECT_NE(m.source("tpm").life.path().back().reason.find(" bytes/s, and gave "),
	          std::string::npos)
	    << m.source("tpm").life.path().back().reason;
}

TEST(Pipeline, NewBytesCountWithinASecondHoweverSlowTheOthersAre)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.has("tpm", SourceKind::tpm2);
	m.begin();
	m.behaviour->delay["tpm"] = 1500ms;
	const auto reseeds = m.sink.reseeds;
	m.pipeline.feed();
	while (m.sink.reseeds == reseeds)
		m.io.run_one();
	EXPECT_TRUE(m.pipeline.busy());
	m.run();
	EXPECT_EQ(m.sink.reseeds, reseeds + 2);
}

TEST(Pipeline, FeedsOnUntilTheSinkIsReady)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.sink.ready_at = 100'000;
	m.begin();
	EXPECT_GE(m.sink.credited, 100'000U);
	EXPECT_LT(m.sink.credited, 100'000U + 4096);
}

TEST(Pipeline, ASourceWorthNothingDoesNotSpinWhileTheSinkIsNotReady)
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

TEST(Pipeline, CreditIsBoundedByWhatWasAssessed)
{
	Machine m;
	m.config.sources["cpu"].assessed = 128;
	m.pipeline.configure(m.config);
	m.has("cpu", SourceKind::cpu);
	m.begin();
	EXPECT_EQ(m.sink.credited, m.sink.taken);
}

TEST(Pipeline, CreditIsBoundedByWhatAnOldKernelsPoolHasRoomFor)
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
	EXPECT_GT(m.sink.taken, taken) << "it is mixed in all the same";
	EXPECT_EQ(m.sink.credited, credited);
}

TEST(Pipeline, OthersAreVisitedWhenNobodyReads)
{
	Machine m;
	m.has("used", SourceKind::hwrng);
	m.has("visited", SourceKind::hwrng, Use::visit);
	m.begin();
	EXPECT_EQ(m.steps["visited"], (Steps{starting, healthy}));
	EXPECT_EQ(m.source("visited").counts.bytes_read, 4096U);
	// And then only each visit_interval.
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.source("visited").counts.bytes_read, 4096U);
}

TEST(Pipeline, WhatVanishesIsNotReadAndComesBack)
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

TEST(Pipeline, NoSourceIsAState)
{
	Machine m;
	m.begin();
	EXPECT_TRUE(m.pipeline.states().empty());
	EXPECT_EQ(m.pipeline.feeds(), 0U);
	EXPECT_FALSE(m.pipeline.last_feed());
}

TEST(Pipeline, ASinkThatRefusesIsTold)
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

TEST(Pipeline, WhoStillReadsIsLeftBehind)
{
	auto m = std::make_unique<Machine>();
	m->has("tpm", SourceKind::tpm2);
	m->behaviour->delay["tpm"] = 200ms;
	m->pipeline.apply(m->decision);
	EXPECT_TRUE(m->pipeline.busy());
	const auto behaviour = m->behaviour;
	std::this_thread::sleep_for(20ms);
	m.reset();
	std::this_thread::sleep_for(300ms);
}

TEST(Pipeline, AnInterruptEndsAll)
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
