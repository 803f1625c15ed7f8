// SPDX-License-Identifier: GPL-2.0-or-later
// Every test that the bytes of a running source pass before they count.
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

/// Has a stream come back to where it was? Notices a source that begins, at any time, to give the
/// same bytes over and over (a replayed recording, a counter that was reset), with any period,
/// within four periods. As Brent's cycle detection (BIT 20, 1980, section 2), but with a memory for
/// each power of two, which is renewed that often: a single one, renewed where the stream's length
/// is a power of two, would see what begins late only when the stream has doubled. Sixteen bytes
/// are remembered each time. Random bytes have less than 2^-122 false alarms a byte, and such as
/// hold the four bits that sp800_90b::Claim supposes 2^-58.
class CycleTest {
public:
	/// False when this byte and those before it are remembered.
	[[nodiscard]] bool test(uint8_t byte);

private:
	/// The last bytes of the stream at some time.
	struct Window {
		static constexpr unsigned bytes = 16;
		uint64_t older = 0;
		uint64_t newer = 0;
	};

	Window last_;
	std::array<Window, 64> remembered_; ///< at odd multiples of 16, of 32, of 64, ... bytes
	uint64_t bytes_ = 0;                ///< of the stream so far
};

/// What the tests say of some bytes.
enum class Verdict : uint8_t {
	starting, ///< the start-up test takes them: use none of them
	good,
	doubtful, ///< a FIPS block failed, as one of a perfect source may: use none of them
	failed,   ///< use none of them, nor any until restart()
};

/// The tests of one source's stream: SP 800-90B 4.3 (start-up), 4.4.1, 4.4.2; FIPS 140-2 over each
/// whole block of it; CycleTest.
class LiveTests {
public:
	LiveTests();

	/// Tests the next bytes.
	[[nodiscard]] Verdict test(std::span<const uint8_t> bytes);

	/// Forgets the stream and what came of it: a new one begins.
	void restart();

	/// Why the last verdict was doubtful or failed.
	[[nodiscard]] const std::string &reason() const { return reason_; }
	/// All FIPS blocks since the object was made; restart() does not forget them.
	[[nodiscard]] const fips140_2::Statistics &fips() const { return fips_; }
	/// How often each of the other tests has failed since then.
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
	size_t filled_ = 0;                       ///< bytes of `block_`
	std::optional<fips140_2::Tester> tester_; ///< once the bootstrap word is there
	fips140_2::Statistics fips_;
	Failures failures_;
	// The failures of the last 256 to 512 blocks are weighed; a good year must excuse nothing.
	fips140_2::Statistics recent_;
	fips140_2::Statistics before_;
	bool failed_ = false;
	std::string reason_;
};

} // namespace hwrngd
