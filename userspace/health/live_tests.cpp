// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/live_tests.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace hwrngd {

namespace {

constexpr uint64_t blocks_weighed = 256;
// The number of failures is checked after each failed block. With the rate for a single check (one
// in a thousand) there would be too many false alarms.
constexpr double false_alarm_rate = 1e-6;

fips140_2::Statistics sum(const fips140_2::Statistics &a, const fips140_2::Statistics &b)
{
	auto total = a;
	total.blocks += b.blocks;
	total.failures += b.failures;
	for (size_t i = 0; i < total.by_test.size(); i++)
		total.by_test[i] += b.by_test[i];
	return total;
}

std::string names_of(uint8_t failed)
{
	std::string names;
	for (const auto test : fips140_2::all_tests)
		if ((failed & test) != 0)
			names += (names.empty() ? "" : ", ") + std::string(fips140_2::name(test));
	return names;
}

} // namespace

bool CycleTest::test(uint8_t byte)
{
	constexpr unsigned byte_bits = 8;
	constexpr unsigned word_bits = 64;
	constexpr auto first = std::countr_zero(Window::bytes);
	last_.older = last_.older << byte_bits | last_.newer >> (word_bits - byte_bits);
	last_.newer = last_.newer << byte_bits | byte;
	// The windows are filled in order: the one for 2^i bytes after 2^i bytes.
	const auto filled = std::max(static_cast<int>(std::bit_width(bytes_)) - first, 0);
	bool again = false;
	for (const auto *window = remembered_.data(); window != remembered_.data() + filled; window++)
		again |= window->newer == last_.newer && window->older == last_.older;
	bytes_++;
	if (const auto of = std::countr_zero(bytes_); of >= first)
		remembered_.at(static_cast<size_t>(of - first)) = last_;
	return !again;
}

LiveTests::LiveTests()
    : sp800_90b_(sp800_90b::HealthTests::create({}).value()), block_(fips140_2::block_bytes)
{
}

Verdict LiveTests::test(std::span<const uint8_t> bytes)
{
	if (failed_)
		return Verdict::failed;
	auto verdict = sp800_90b_.test(bytes) ? Verdict::good : Verdict::starting;
	if (const auto failure = sp800_90b_.failed()) {
		(*failure == sp800_90b::Failure::repetition_count ? failures_.repetition_count
		                                                  : failures_.adaptive_proportion)++;
		return fail(fmt::format("SP 800-90B: {}", sp800_90b::name(*failure)));
	}
	if (!std::all_of(bytes.begin(), bytes.end(), [this](auto byte) { return cycle_.test(byte); })) {
		failures_.cycle++;
		return fail("it repeats earlier output");
	}
	while (!bytes.empty()) {
		const size_t size = tester_ ? fips140_2::block_bytes : fips140_2::bootstrap_bytes;
		const size_t n = std::min(bytes.size(), size - filled_);
		std::memcpy(&block_.span()[filled_], bytes.data(), n);
		bytes = bytes.subspan(n);
		filled_ += n;
		if (filled_ < size)
			break;
		filled_ = 0;
		if (!tester_) {
			tester_.emplace(block_.span().first<fips140_2::bootstrap_bytes>());
			continue;
		}
		const auto of_block = test_block(*tester_);
		if (of_block == Verdict::failed)
			return of_block;
		if (of_block == Verdict::doubtful)
			verdict = of_block;
	}
	return verdict;
}

Verdict LiveTests::test_block(fips140_2::Tester &tester)
{
	const uint8_t failed = tester.test(block_.span().first<fips140_2::block_bytes>());
	fips_.add(failed);
	recent_.add(failed);
	const auto weighed = sum(recent_, before_);
	if (recent_.blocks == blocks_weighed)
		before_ = std::exchange(recent_, {});
	if (failed == 0)
		return Verdict::good;
	reason_ = fmt::format("FIPS 140-2: {} of the last {} blocks failed; the newest failed {}",
	                      weighed.failures, weighed.blocks, names_of(failed));
	if ((failed & fips140_2::continuous) == 0 &&
	    weighed.failures <= fips140_2::failures_allowed(weighed.blocks, false_alarm_rate))
		return Verdict::doubtful;
	return fail(reason_);
}

Verdict LiveTests::fail(std::string reason)
{
	failed_ = true;
	reason_ = std::move(reason);
	return Verdict::failed;
}

void LiveTests::restart()
{
	sp800_90b_.restart();
	cycle_ = {};
	filled_ = 0;
	tester_.reset();
	recent_ = {};
	before_ = {};
	failed_ = false;
	reason_.clear();
}

} // namespace hwrngd
