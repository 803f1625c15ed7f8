// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/lifecycle.h"

#include "aes_ctr.h"

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;
using enum SourceState;

namespace {

constexpr size_t block = fips140_2::block_bytes;

/// A source that gives random bytes, or bad bytes on request.
struct Machine {
	explicit Machine(Backoff backoff = {}) : life(backoff) {}

	const Step *good(size_t size)
	{
		std::vector<uint8_t> bytes(size);
		random.fill(bytes);
		return life.returned_bytes(bytes, now);
	}
	/// Passes the start-up test of a source that never failed.
	void start()
	{
		life.appeared(now);
		good(2000);
		good(100);
	}
	/// Fails one FIPS 140-2 block, and no other test.
	const Step *one_bad_block()
	{
		std::vector<uint8_t> bytes(2 * block);
		random.fill(bytes);
		for (size_t i = 0; i < bytes.size(); i += 16)
			bytes[i] = 0xfb;
		for (size_t at = 0;;
		     at += 100) { // in pieces, because all bytes at once might complete two blocks
			const auto before = life.tests().fips().failures;
			const auto *step = life.returned_bytes(std::span(bytes).subspan(at, 100), now);
			if (life.tests().fips().failures > before)
				return step;
		}
	}
	const Step *zeros() { return life.returned_bytes(std::vector<uint8_t>(100), now); }

	AesCtr random;
	Lifecycle life;
	Time now = Time{} + 1000h;
};

TEST(Lifecycle, ASourceStartsIsTestedAndServes)
{
	Machine m;
	EXPECT_EQ(m.life.state(), absent);
	EXPECT_FALSE(m.life.readable());
	const auto *step = m.life.appeared(m.now);
	ASSERT_NE(step, nullptr);
	EXPECT_EQ(step->to, starting);
	EXPECT_TRUE(m.life.readable());
	EXPECT_TRUE(m.life.proving());
	EXPECT_EQ(m.life.appeared(m.now), nullptr);
	EXPECT_EQ(m.good(1024), nullptr);
	EXPECT_FALSE(m.life.usable());
	step = m.good(1);
	ASSERT_NE(step, nullptr);
	EXPECT_EQ(step->to, healthy);
	EXPECT_EQ(step->reason, "it passed the start-up test");
	EXPECT_TRUE(m.life.usable());
	EXPECT_FALSE(m.life.proving());
	EXPECT_EQ(m.good(100), nullptr);
	EXPECT_TRUE(m.life.usable());
}

TEST(Lifecycle, BytesOfAnAbsentSourceAreIgnored)
{
	Machine m;
	EXPECT_EQ(m.good(3000), nullptr);
	EXPECT_FALSE(m.life.usable());
	EXPECT_EQ(m.life.failed_to_read("x", m.now), nullptr);
	EXPECT_EQ(m.life.stalled("x", m.now), nullptr);
	EXPECT_EQ(m.life.stuttered("x", m.now), nullptr);
	EXPECT_EQ(m.life.time_passed(m.now), nullptr);
	EXPECT_EQ(m.life.vanished("x", m.now), nullptr);
}

TEST(Lifecycle, AFailedSourceWaitsLongerEachTimeAndMustProveItself)
{
	Machine m({.first = 10s, .most = 35s, .forgiven = 1h});
	m.start();
	for (const auto length : {10s, 20s, 35s, 35s}) {
		const auto *step = m.zeros();
		ASSERT_NE(step, nullptr);
		EXPECT_EQ(step->to, quarantined);
		EXPECT_EQ(step->reason,
		          fmt::format("SP 800-90B: repetition count; next try in {} s", length.count()));
		EXPECT_FALSE(m.life.usable());
		EXPECT_FALSE(m.life.readable());
		EXPECT_EQ(m.life.retry_at(), m.now + length);
		EXPECT_EQ(m.good(3000), nullptr);
		EXPECT_EQ(m.life.time_passed(m.now + length - 1ms), nullptr);
		m.now += length;
		step = m.life.time_passed(m.now);
		ASSERT_NE(step, nullptr);
		EXPECT_EQ(step->to, starting);
		EXPECT_FALSE(m.life.retry_at());
		// The start-up test is not enough after a quarantine.
		EXPECT_EQ(m.good(4 + (8 * block) - 1), nullptr);
		EXPECT_FALSE(m.life.usable());
	}
	const auto *step = m.good(block);
	ASSERT_NE(step, nullptr);
	EXPECT_EQ(step->to, healthy);
	EXPECT_EQ(step->reason, "it passed all tests again");
	EXPECT_TRUE(m.life.usable());
	// A quarantine is forgiven some time after its end.
	m.now += 1h - 1s;
	EXPECT_EQ(m.zeros()->reason, "SP 800-90B: repetition count; next try in 35 s");
	m.now += 35s + 1h;
	EXPECT_EQ(m.life.time_passed(m.now)->to, starting);
	EXPECT_EQ(m.zeros()->reason, "SP 800-90B: repetition count; next try in 10 s");
}

TEST(Lifecycle, ADoubtfulBlockMakesItSuspectUntilEightPassed)
{
	Machine m;
	m.start();
	m.good(20 * block);
	const auto *step = m.one_bad_block();
	ASSERT_NE(step, nullptr);
	EXPECT_EQ(step->to, suspect);
	EXPECT_FALSE(m.life.usable());
	EXPECT_TRUE(m.life.readable());
	EXPECT_TRUE(m.life.proving());
	EXPECT_EQ(m.good(7 * block), nullptr);
	EXPECT_FALSE(m.life.usable());
	// Another bad block means that the source must start to prove itself again.
	EXPECT_EQ(m.one_bad_block(), nullptr);
	EXPECT_EQ(m.life.state(), suspect);
	EXPECT_EQ(m.good(7 * block), nullptr);
	step = m.good(2 * block);
	ASSERT_NE(step, nullptr);
	EXPECT_EQ(step->to, healthy);
	EXPECT_TRUE(m.life.usable());
}

TEST(Lifecycle, AnEarlyDoubtfulBlockAlsoRequiresProof)
{
	Machine m;
	m.life.appeared(m.now);
	std::vector<uint8_t> bytes(4 + block);
	m.random.fill(bytes);
	for (size_t i = 4; i < bytes.size(); i += 16)
		bytes[i] = 0xfb;
	EXPECT_EQ(m.life.returned_bytes(bytes, m.now), nullptr);
	EXPECT_EQ(m.life.tests().fips().failures, 1U);
	EXPECT_EQ(m.good(6 * block), nullptr);
	EXPECT_EQ(m.life.state(), starting);
	EXPECT_EQ(m.good(4 * block)->to, healthy);
}

TEST(Lifecycle, OneReadThatFailsIsSuspiciousTwoAreEnough)
{
	Machine m;
	m.start();
	const auto *step = m.life.failed_to_read("EIO", m.now);
	ASSERT_NE(step, nullptr);
	EXPECT_EQ(step->to, suspect);
	EXPECT_EQ(step->reason, "EIO");
	m.good(10); // not twice in a row
	EXPECT_EQ(m.life.failed_to_read("EIO", m.now), nullptr);
	step = m.life.failed_to_read("EIO", m.now);
	ASSERT_NE(step, nullptr);
	EXPECT_EQ(step->to, quarantined);
}

TEST(Lifecycle, AStallIsEnoughAndAStutterIsSuspicious)
{
	Machine m;
	m.start();
	m.good(10 * block);
	EXPECT_EQ(m.life.stuttered("slow", m.now)->to, suspect);
	EXPECT_FALSE(m.life.usable());
	EXPECT_EQ(m.life.stuttered("slow", m.now), nullptr);
	// Tests that it passed before do not count.
	EXPECT_EQ(m.good(100), nullptr);
	EXPECT_EQ(m.good(9 * block)->to, healthy);
	EXPECT_EQ(m.life.stalled("dead", m.now)->to, quarantined);
}

TEST(Lifecycle, ASourceThatVanishesAndReturnsDoesNotEscapeItsQuarantine)
{
	Machine m;
	m.start();
	m.zeros();
	EXPECT_EQ(m.life.vanished("unplugged", m.now)->to, absent);
	EXPECT_FALSE(m.life.retry_at());
	m.now += 3s;
	EXPECT_EQ(m.life.appeared(m.now)->to, quarantined);
	EXPECT_EQ(m.life.time_passed(m.now), nullptr);
	m.now += 7s;
	EXPECT_EQ(m.life.time_passed(m.now)->to, starting);
	EXPECT_EQ(m.good(3000), nullptr);
	m.life.vanished("unplugged", m.now);
	EXPECT_EQ(m.life.appeared(m.now)->to, starting);
	EXPECT_EQ(m.good(3000), nullptr);
	EXPECT_EQ(m.good(100), nullptr) << "it must still prove itself";
	EXPECT_EQ(m.good(8 * block)->to, healthy);
}

TEST(Lifecycle, ThePathIsRememberedUpToALimit)
{
	Machine m;
	m.start();
	ASSERT_EQ(m.life.path().size(), 2U);
	EXPECT_EQ(m.life.path()[0].from, absent);
	EXPECT_EQ(m.life.path()[1].to, healthy);
	for (int i = 0; i < 100; i++) {
		m.life.vanished("unplugged", m.now);
		m.life.appeared(m.now);
	}
	EXPECT_EQ(m.life.path().size(), Lifecycle::most_steps);
	EXPECT_EQ(m.life.path().back().to, starting);
}

TEST(Lifecycle, EveryStateHasAName)
{
	for (const auto state : {absent, starting, healthy, suspect, quarantined})
		EXPECT_STRNE(name(state), "?");
	EXPECT_STREQ(name(SourceState{99}), "?");
}

} // namespace
