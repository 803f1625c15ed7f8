// SPDX-License-Identifier: GPL-2.0-or-later
// The health tests of NIST SP 800-90B (January 2018), sections 4.3 and 4.4, for a stream of samples
// whose source claims a min-entropy. The kernel modules have their own in kmod/health.h, for one
// fixed claim.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace hwrngd::sp800_90b {

/// What a source claims, and how often a source that just meets the claim may fail.
struct Claim {
	double min_entropy = 4;   ///< H, bits per sample
	unsigned alpha_log2 = 30; ///< false alarms per sample: alpha = 2^-30 (4.3 advises 20 to 40)
};

inline constexpr uint32_t binary_window = 1024;   ///< samples, if a sample is a bit (4.4.2)
inline constexpr uint32_t window = 512;           ///< samples, if there are more than two values
inline constexpr uint32_t startup_samples = 1024; ///< 4.3, item 4

/// Section 4.4.1: C = 1 + ceil(-log2(alpha) / H).
[[nodiscard]] uint32_t repetition_cutoff(const Claim &claim);

/// Section 4.4.2: C = 1 + CRITBINOM(W, 2^-H, 1 - alpha). This is the least C such that a value of
/// probability 2^-H occurs C times or more among W samples with a probability of at most alpha.
/// If even W times is more likely than alpha, C is W + 1, which no window reaches.
[[nodiscard]] uint32_t proportion_cutoff(const Claim &claim, uint32_t samples = window);

/// Section 4.4.1: fails if one value occurs too often in a row.
class RepetitionCount {
public:
	explicit RepetitionCount(uint32_t cutoff) : cutoff_(cutoff) {}

	/// False if this sample fails the test. After that, start with a new object.
	[[nodiscard]] bool test(uint64_t sample)
	{
		run_ = run_ > 0 && sample == last_ ? run_ + 1 : 1;
		last_ = sample;
		return run_ < cutoff_;
	}

private:
	uint32_t cutoff_;
	uint32_t run_ = 0;
	uint64_t last_ = 0;
};

/// Section 4.4.2: fails if the first value of a window occurs too often in it.
class AdaptiveProportion {
public:
	AdaptiveProportion(uint32_t cutoff, uint32_t samples) : cutoff_(cutoff), samples_(samples) {}

	/// False if this sample fails the test. After that, start with a new object.
	[[nodiscard]] bool test(uint64_t sample)
	{
		if (seen_ == 0) {
			first_ = sample;
			count_ = 0;
		}
		count_ += sample == first_ ? 1 : 0;
		seen_ = seen_ + 1 < samples_ ? seen_ + 1 : 0;
		return count_ < cutoff_;
	}

private:
	uint32_t cutoff_;
	uint32_t samples_;
	uint32_t seen_ = 0;
	uint32_t count_ = 0;
	uint64_t first_ = 0;
};

enum class Failure : uint8_t { repetition_count, adaptive_proportion };

/// The name of a test, such as "repetition count".
[[nodiscard]] const char *name(Failure test);

/// The health tests of a stream of bytes; each byte is a sample. They begin with the start-up test.
class HealthTests {
public:
	/// Fails unless the claim is above 0 and at most 8 bits, and alpha is 2^-64 to 2^-1.
	[[nodiscard]] static Result<HealthTests> create(const Claim &claim);

	/// Tests the next bytes of the stream. Returns true if they may be used: they are not part of
	/// the start-up test, and no test has failed since restart().
	[[nodiscard]] bool test(std::span<const uint8_t> bytes);

	/// The number of bytes that the start-up test still needs.
	[[nodiscard]] size_t startup() const { return startup_; }
	/// The test that failed, if any. More data does not clear it.
	[[nodiscard]] std::optional<Failure> failed() const { return failed_; }
	/// Forgets the stream and any failure, and begins the start-up test of a new stream.
	void restart();

private:
	explicit HealthTests(const Claim &claim);

	RepetitionCount fresh_repetition_;
	AdaptiveProportion fresh_proportion_;
	RepetitionCount repetition_;
	AdaptiveProportion proportion_;
	size_t startup_ = startup_samples;
	std::optional<Failure> failed_;
};

} // namespace hwrngd::sp800_90b
