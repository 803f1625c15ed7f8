// SPDX-License-Identifier: GPL-2.0-or-later
// The statistical tests of FIPS 140-2 (2001-10-10, section 4.9.1), with the intervals, the bit
// order and the continuous test of rng-tools' rngtest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hwrngd::fips140_2 {

inline constexpr size_t block_bytes = 2500;  ///< 20,000 bits
inline constexpr size_t bootstrap_bytes = 4; ///< the word before the first block
inline constexpr size_t long_run_bits = 26;  ///< the shortest run that fails

/// One bit per test, set if the block failed it. The values are those of rngtest.
enum Failure : uint8_t {
	monobit = 0x01,
	poker = 0x02,
	runs = 0x04,
	long_run = 0x08,
	continuous = 0x10,
};

inline constexpr std::array<Failure, 5> all_tests{monobit, poker, runs, long_run, continuous};

/// The name of a test, such as "Long run".
[[nodiscard]] const char *name(Failure test);

/// Tests the blocks of one stream. Only the continuous test keeps state from block to block.
class Tester {
public:
	/// `bootstrap` is the first four bytes of the stream, which belong to no block.
	explicit Tester(std::span<const uint8_t, bootstrap_bytes> bootstrap);

	/// Tests the next block, most significant bit of each byte first. Returns the Failure bits of
	/// the tests that it failed, or 0 for a good block.
	[[nodiscard]] uint8_t test(std::span<const uint8_t, block_bytes> block);

private:
	uint32_t last_word_;
};

/// Counts over the blocks of one stream.
struct Statistics {
	uint64_t blocks = 0;
	uint64_t failures = 0; ///< blocks that failed at least one test
	std::array<uint64_t, all_tests.size()> by_test{};

	/// Adds the result that Tester::test() returned for one block.
	void add(uint8_t failed);
	[[nodiscard]] uint64_t of(Failure test) const;
	/// False in each of these cases:
	/// - no block was tested,
	/// - more blocks failed than a perfect source fails in 99.9 % of runs of this length,
	/// - the continuous test failed (a perfect source fails it once in seven million blocks).
	[[nodiscard]] bool healthy() const;
};

/// The least number of failed blocks among `blocks` that a perfect source exceeds with a
/// probability of at most `false_alarm_rate` (Poisson distribution, with the rate measured in
/// fips140_2.cpp).
[[nodiscard]] uint64_t failures_allowed(uint64_t blocks, double false_alarm_rate = 1e-3);

} // namespace hwrngd::fips140_2
