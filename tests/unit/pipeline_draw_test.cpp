// SPDX-License-Identifier: GPL-2.0-or-later
#include "pipeline_machine.h"

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// The results of a draw.
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

TEST(PipelineDraw, DrawnBytesAreNotFed)
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
	EXPECT_EQ(second.bytes + second.ends, 0U) << "only one draw at a time";
	EXPECT_EQ(m.sink.taken, fed);
	EXPECT_EQ(m.pipeline.feeds(), feeds);
	EXPECT_EQ(m.source("cpu").counts.bytes_drawn, 4096U);
	m.pipeline.draw(second.taker());
	m.run();
	EXPECT_EQ(second.ends, 1U);
}

TEST(PipelineDraw, AFeedWaitsForTheDrawAndIsNotForgotten)
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

TEST(PipelineDraw, NothingIsDrawnFromABadSourceOrOneWithoutCredit)
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
	EXPECT_EQ(drawn.bytes, 0U) << "the tests noticed it";
	EXPECT_EQ(m.steps["hwrng"].back(), SourceState::quarantined);
	EXPECT_EQ(m.source("tpm").counts.bytes_drawn, 0U);
	EXPECT_EQ(drawn.ends, 1U);
	m.pipeline.draw(drawn.taker());
	m.io.restart();
	m.io.run_for(1ms);
	EXPECT_EQ(drawn.ends, 2U) << "the draw ends even without a source";
}

TEST(PipelineDraw, AnUntrustedSourceIsMixedInWithoutCreditAndNotDrawnFrom)
{
	Machine m;
	m.has("cpu", SourceKind::cpu);
	m.decision.sources.back().source.distrust = "the kernel does not trust it";
	m.begin();
	EXPECT_EQ(m.source("cpu").life.state(), SourceState::healthy);
	EXPECT_GT(m.sink.taken, 0U);
	EXPECT_EQ(m.sink.credited, 0U);
	Drawn drawn;
	m.pipeline.draw(drawn.taker());
	m.io.restart();
	m.io.run_for(1ms);
	EXPECT_EQ(drawn.ends, 1U);
	EXPECT_EQ(drawn.bytes, 0U);
	// The administrator does trust it.
	m.config.sources["cpu"].credit = 100;
	m.pipeline.configure(m.config);
	m.pipeline.draw(drawn.taker());
	m.run();
	EXPECT_EQ(drawn.bits, 4096U * 8 * 100 / 1024);
	m.pipeline.feed();
	m.run();
	EXPECT_EQ(m.sink.credited, 512U * 8 * 100 / 1024);
}

TEST(PipelineDraw, TheKernelHasPriority)
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

} // namespace
