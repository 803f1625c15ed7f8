// SPDX-License-Identifier: GPL-2.0-or-later
// The tests that the bytes of a running source must pass before they are used.
#pragma once

#include "base/secret_buffer.h"
#include "health/fips140_2.h"
#include "health/sp800_90b.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace hwrngd {

/// Detects a stream that repeats itself, such as a replayed recording or a counter that was reset.
/// It finds any period within four periods, no matter when the repetition starts.
///
/// The method is Brent's cycle detection (BIT 20, 1980, section 2) with more memory. For each power
/// of two it remembers sixteen bytes of the stream, and renews them at odd multiples of that power.
/// Brent's method has a single memory, renewed only when the length of the stream is a power of
/// two. It would notice a late repetition only after the stream has doubled.
///
/// False alarms per byte: less than 2^-122 for random bytes, and 2^-58 for bytes that hold the four
/// bits of entropy that sp800_90b::Claim assumes.
class CycleTest {
public:
	/// False if the last sixteen bytes, including this one, equal sixteen remembered ones.
	[[nodiscard]] bool test(uint8_t byte);

private:
	/// Sixteen consecutive bytes of the stream.
	struct Window {
		static constexpr unsigned bytes = 16;
		uint64_t older = 0;
		uint64_t newer = 0;
	};

	Window last_;
	std::array<Window, 64> remembered_; ///< at odd multiples of 16, of 32, of 64, ... bytes
	uint64_t bytes_ = 0;                ///< length of the stream so far
};

/// The result of the tests for some bytes. Only good bytes may be used.
enum class Verdict : uint8_t {
	starting, ///< the start-up test consumed them
	good,
	doubtful, ///< a FIPS block failed, which can happen to a perfect source too
	failed,   ///< neither these bytes nor any others until restart() may be used
};

/// All tests of one source's stream: SP 800-90B, sections 4.3 (start-up), 4.4.1 and 4.4.2; FIPS
/// 140-2 for each complete block; CycleTest.
class LiveTests {
public:
	LiveTests();

	/// Tests the next bytes.
	[[nodiscard]] Verdict test(std::span<const uint8_t> bytes);

	/// Forgets the stream and its verdict, and starts a new stream.
	void restart();

	/// The reason for the last verdict that was doubtful or failed.
	[[nodiscard]] const std::string &reason() const { return reason_; }
	/// Statistics of all FIPS blocks since construction; restart() does not reset them.
	[[nodiscard]] const fips140_2::Statistics &fips() const { return fips_; }
	/// The number of failures of each other test since construction.
	struct Failures {
		uint64_t repetition_count = 0;
		uint64_t adaptive_proportion = 0;
		uint64_t cycle = 0;
	};
	[[nodiscard]] const Failures &failures() const { return failures_; }

private:
	[[nodiscard]] Verdict fail(std::string reason);
	[[nodiscard]] Verdict test_block(fips140_2::Tester &tester);

	sp800_90b::HealthTests sp800_90b_;
	CycleTest cycle_;
	SecretBuffer block_;
	size_t filled_ = 0;                       ///< bytes in `block_`
	std::optional<fips140_2::Tester> tester_; ///< exists once the bootstrap word has arrived
	fips140_2::Statistics fips_;
	Failures failures_;
	// Only the failures of the last 256 to 512 blocks count: a long good past excuses nothing.
	fips140_2::Statistics recent_;
	fips140_2::Statistics before_;
	bool failed_ = false;
	std::string reason_;
};

} // namespace hwrngd
