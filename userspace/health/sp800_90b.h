// SPDX-License-Identifier: GPL-2.0-or-later
// The health tests of NIST SP 800-90B (January 2018), sections 4.3 and 4.4, for a stream of samples
// whose source claims some min-entropy. kmod/health.h is the kernel's, for one fixed claim.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace hwrngd::sp800_90b {

/// What a source claims, and how often a source that is no better may be blamed.
struct Claim {
	double min_entropy = 4;   ///< H, bits per sample
	unsigned alpha_log2 = 30; ///< false alarms per sample: alpha = 2^-30 (4.3 advises 20 to 40)
};

inline constexpr uint32_t binary_window = 1024;   ///< samples, where a sample is a bit (4.4.2)
inline constexpr uint32_t window = 512;           ///< where there are more than two values
inline constexpr uint32_t startup_samples = 1024; ///< 4.3, item 4

/// Section 4.4.1: C = 1 + ceil(-log2(alpha) / H).
[[nodiscard]] uint32_t repetition_cutoff(const Claim &claim);

/// Section 4.4.2: C = 1 + CRITBINOM(W, 2^-H, 1 - alpha), the least C for which a value of
/// probability 2^-H is found C times among W samples with a probability of alpha or less.
/// W + 1, which no window reaches, when even W times is more likely than that.
[[nodiscard]] uint32_t proportion_cutoff(const Claim &claim, uint32_t samples = window);

/// Section 4.4.1: has one value come too often in a row?
class RepetitionCount {
public:
	explicit RepetitionCount(uint32_t cutoff) : cutoff_(cutoff) {}

	/// False when this sample fails the test. Start anew after that.
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

/// Section 4.4.2: has the first value of a window come too often in it?
class AdaptiveProportion {
public:
	AdaptiveProportion(uint32_t cutoff, uint32_t samples) : cutoff_(cutoff), samples_(samples) {}

	/// False when this sample fails the test. Start anew after that.
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

/// The name of a test, as in "repetition count".
[[nodiscard]] const char *name(Failure test);

/// The health tests of a stream of bytes, a byte being a sample. Begins with the start-up test.
class HealthTests {
public:
	/// Refuses a claim that is not above 0 and at most 8 bits, or an alpha outside 2^-1 to 2^-64.
	[[nodiscard]] static Result<HealthTests> create(const Claim &claim);

	/// Tests the next bytes of the stream. Returns whether they may be used: not those that the
	/// start-up test takes, nor any from the first failure until restart().
	[[nodiscard]] bool test(std::span<const uint8_t> bytes);

	/// The bytes that the start-up test still needs.
	[[nodiscard]] size_t startup() const { return startup_; }
	/// The test that failed. More data does not take it back.
	[[nodiscard]] std::optional<Failure> failed() const { return failed_; }
	/// Forgets the stream and any failure, and begins the start-up test of a new one.
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
