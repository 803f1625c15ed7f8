// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/profile.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace hwrngd {

void Profiler::add(std::span<const uint8_t> samples)
{
	// `text` is the recent samples and the new ones. Each new sample is paired with the one `lag`
	// before it.
	std::vector<uint8_t> text(recent_);
	text.insert(text.end(), samples.begin(), samples.end());
	for (size_t lag = 1; lag <= Profile::lags; lag++)
		for (size_t i = std::max(recent_.size(), lag); i < text.size(); i++)
			products_[lag - 1] += static_cast<uint64_t>(text[i]) * text[i - lag];
	const size_t keep = std::min(text.size(), Profile::lags);
	recent_.assign(text.end() - static_cast<std::ptrdiff_t>(keep), text.end());

	const size_t room = Profile::pictured - profile_.first.size();
	const auto pictured = samples.first(std::min(room, samples.size()));
	profile_.first.insert(profile_.first.end(), pictured.begin(), pictured.end());

	profile_.samples += samples.size();
	for (const uint8_t sample : samples) {
		profile_.histogram[sample]++;
		squares_ += static_cast<uint64_t>(sample) * sample;
		add_bits(sample);
	}
}

void Profiler::add_bits(uint8_t sample)
{
	for (unsigned i = profile_.bits; i > 0; i--) {
		const unsigned bit = static_cast<unsigned>(sample) >> (i - 1) & 1U;
		if (run_ > 0 && bit != run_bit_) {
			profile_.runs[std::min(run_, Profile::run_lengths) - 1]++;
			run_ = 0;
		}
		run_bit_ = bit;
		run_++;

		byte_ = static_cast<uint8_t>(static_cast<unsigned>(byte_) << 1U | bit);
		if (++byte_bits_ == 8) {
			block_.push_back(byte_);
			byte_bits_ = 0;
			add_block();
		}
	}
}

/// Tests the block if it is full.
void Profiler::add_block()
{
	if (!tester_) {
		if (block_.size() == fips140_2::bootstrap_bytes) {
			tester_.emplace(std::span(block_).first<fips140_2::bootstrap_bytes>());
			block_.clear();
		}
		return;
	}
	if (block_.size() < fips140_2::block_bytes)
		return;
	const uint8_t failed = tester_->test(std::span(block_).first<fips140_2::block_bytes>());
	block_.clear();

	auto &failures = profile_.failures;
	if (profile_.fips.blocks % profile_.blocks_a_period == 0) {
		if (failures.size() == Profile::most_periods) {
			// Merge periods in pairs. All are full, and their number is even.
			for (size_t i = 0; i < failures.size() / 2; i++)
				failures[i] = failures[2 * i] + failures[2 * i + 1];
			failures.resize(failures.size() / 2);
			profile_.blocks_a_period *= 2;
		}
		failures.push_back(0);
	}
	failures.back() += failed != 0 ? 1 : 0;
	profile_.fips.add(failed);
}

Profile Profiler::profile() const
{
	Profile result = profile_;
	if (run_ > 0)
		result.runs[std::min(run_, Profile::run_lengths) - 1]++;

	uint64_t sum = 0;
	for (size_t value = 0; value < result.histogram.size(); value++)
		sum += value * result.histogram[value];
	const auto n = static_cast<double>(result.samples);
	const double mean = static_cast<double>(sum) / n;
	const double variance = static_cast<double>(squares_) - mean * mean * n; // times n
	for (size_t lag = 1; lag <= Profile::lags && lag < result.samples; lag++) {
		// The first `lag` samples have no partner before them, and the last `lag` none after them.
		const auto last = recent_.end() - static_cast<std::ptrdiff_t>(lag);
		const auto first = result.first.begin();
		const uint64_t ends =
		    std::accumulate(last, recent_.end(), uint64_t{0}) +
		    std::accumulate(first, first + static_cast<std::ptrdiff_t>(lag), uint64_t{0});
		const double pairs = n - static_cast<double>(lag);
		const double covariance = static_cast<double>(products_[lag - 1]) -
		                          mean * static_cast<double>(2 * sum - ends) + pairs * mean * mean;
		result.autocorrelation[lag - 1] = variance > 0 ? covariance / variance : 1;
	}
	return result;
}

void Latency::add(std::chrono::microseconds taken)
{
	const auto width = std::bit_width(static_cast<uint64_t>(std::max<int64_t>(1, taken.count())));
	counts[std::min(static_cast<size_t>(width) - 1, counts.size() - 1)]++;
	reads++;
	longest = std::max(longest, taken);
}

} // namespace hwrngd
