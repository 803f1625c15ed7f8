// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/sp800_90b.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hwrngd::sp800_90b {

uint32_t repetition_cutoff(const Claim &claim)
{
	// For a claim close to 0 the cutoff would not fit the counter.
	constexpr double most = UINT32_MAX;
	return static_cast<uint32_t>(
	    std::min(most, 1 + std::ceil(claim.alpha_log2 / claim.min_entropy)));
}

uint32_t proportion_cutoff(const Claim &claim, uint32_t samples)
{
	const double alpha = std::exp2(-static_cast<double>(claim.alpha_log2));
	const double log_p = -claim.min_entropy * std::numbers::ln2;
	const double log_q = std::log1p(-std::exp(log_p));
	const double n = samples;
	// Sums the upper tail of binomial(W, 2^-H) from its small end, so that no digits cancel.
	// Terms that underflow are far below any alpha.
	double tail = 0;
	for (uint32_t cutoff = samples;; cutoff--) {
		const double k = cutoff;
		tail += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
		                 (k * log_p) + (cutoff < samples ? (n - k) * log_q : 0));
		// At cutoff 0 the tail is 1, except for rounding.
		if (tail > alpha || cutoff == 0)
			return cutoff + 1;
	}
}

const char *name(Failure test)
{
	switch (test) {
	case Failure::repetition_count:
		return "repetition count";
	case Failure::adaptive_proportion:
		return "adaptive proportion";
	}
	return "?";
}

Result<HealthTests> HealthTests::create(const Claim &claim)
{
	if (std::isnan(claim.min_entropy) || claim.min_entropy <= 0 || claim.min_entropy > 8)
		return fail(
		    ExitCode::usage,
		    fmt::format("the min-entropy of a byte must be above 0 and at most 8 bits, not {}",
		                claim.min_entropy));
	if (claim.alpha_log2 < 1 || claim.alpha_log2 > 64)
		return fail(
		    ExitCode::usage,
		    fmt::format("the false alarm rate must be 2^-64 to 2^-1, not 2^-{}", claim.alpha_log2));
	return HealthTests(claim);
}

HealthTests::HealthTests(const Claim &claim)
    : fresh_repetition_(repetition_cutoff(claim)),
      fresh_proportion_(proportion_cutoff(claim), window), repetition_(fresh_repetition_),
      proportion_(fresh_proportion_)
{
}

bool HealthTests::test(std::span<const uint8_t> bytes)
{
	if (failed_)
		return false;
	for (const uint8_t byte : bytes) {
		if (!repetition_.test(byte)) {
			failed_ = Failure::repetition_count;
			return false;
		}
		if (!proportion_.test(byte)) {
			failed_ = Failure::adaptive_proportion;
			return false;
		}
	}
	// The bytes that complete the start-up test are not used, nor are those passed with them.
	const bool usable = startup_ == 0;
	startup_ -= std::min(startup_, bytes.size());
	return usable;
}

void HealthTests::restart()
{
	repetition_ = fresh_repetition_;
	proportion_ = fresh_proportion_;
	startup_ = startup_samples;
	failed_.reset();
}

} // namespace hwrngd::sp800_90b
