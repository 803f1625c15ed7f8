// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

namespace hwrngd::soak {

namespace {

/// No health test may pass this many equal bytes in a row.
constexpr size_t stuck = 64;

/// The longest run of equal bytes.
size_t longest_run(std::span<const uint8_t> bytes)
{
	size_t longest = 0;
	size_t run = 0;
	for (size_t i = 0; i < bytes.size(); i++) {
		run = i > 0 && bytes[i] == bytes[i - 1] ? run + 1 : 1;
		longest = std::max(longest, run);
	}
	return longest;
}

/// The bits per 1024 with which a source may be credited, as documented in hwrngd.conf(5).
double most_credit(const SourceInfo &info, const SourceConfig &said)
{
	const double believed =
	    said.credit ? static_cast<double>(*said.credit) : static_cast<double>(info.claim) / 2;
	return std::min(believed, static_cast<double>(said.assessed.value_or(1024)));
}

} // namespace

void Checks::check(const std::string &what, bool holds, const std::string &details)
{
	auto &failures = failures_[what];
	if (holds)
		return;
	constexpr uint64_t told = 5;
	if (failures++ >= told)
		return;
	fmt::print("violated: {}: {}\n", what, details);
	std::fflush(stdout);
}

uint64_t Checks::failed() const
{
	return static_cast<uint64_t>(std::count_if(failures_.begin(), failures_.end(),
	                                           [](const auto &check) { return check.second > 0; }));
}

bool Checks::report() const
{
	for (const auto &[what, failures] : failures_) {
		if (failures == 0)
			fmt::print("ok   {}\n", what);
		else
			fmt::print("FAIL {}: {} times\n", what, failures);
	}
	fmt::print("{} passed, {} failed, 0 skipped\n", failures_.size() - failed(), failed());
	return failed() == 0;
}

void Ledger::begin(const std::string &source)
{
	const std::lock_guard lock(mutex_);
	auto &harvest = harvests_[source];
	harvest.begin = nullptr;
	harvest.bytes.clear();
	harvest.fed = 0;
}

void Ledger::took(const std::string &source, std::span<const uint8_t> bytes)
{
	const std::lock_guard lock(mutex_);
	auto &harvest = harvests_[source];
	if (harvest.begin == nullptr)
		harvest.begin = bytes.data();
	harvest.bytes.insert(harvest.bytes.end(), bytes.begin(), bytes.end());
}

std::string Ledger::claim(std::span<const uint8_t> bytes)
{
	const std::lock_guard lock(mutex_);
	for (auto &[name, harvest] : harvests_) {
		// Buffers are reused, so the address does not identify the source; compare the bytes.
		if (harvest.begin == nullptr || bytes.data() < harvest.begin + harvest.fed ||
		    bytes.data() + bytes.size() > harvest.begin + harvest.bytes.size())
			continue;
		const auto at = bytes.data() - harvest.begin;
		if (!std::equal(bytes.begin(), bytes.end(), harvest.bytes.begin() + at))
			continue;
		harvest.fed = static_cast<size_t>(at) + bytes.size();
		return name;
	}
	return "";
}

Result<void> WatchingSink::add(std::span<const uint8_t> bytes, uint64_t bits)
{
	const auto name = ledger_.claim(bytes);
	checks_.check("each fed byte comes from a source, and is fed only once", !name.empty(),
	              fmt::format("{} bytes", bytes.size()));
	checks_.check("no stuck bytes are fed", longest_run(bytes) < stuck, name);
	if (!name.empty()) {
		const auto &source = pipeline_->sources().at(name);
		checks_.check("bytes are fed only from healthy sources",
		              source.life.state() == SourceState::healthy && source.life.usable() &&
		                  source.decision.use != Use::ignore,
		              fmt::format("{} is {}", name, hwrngd::name(source.life.state())));
		const auto most = most_credit(source.decision.source, config_.source(name));
		checks_.check("no credit is above the configured limit",
		              static_cast<double>(bits) <=
		                  static_cast<double>(bytes.size()) * 8 * most / 1024,
		              fmt::format("{}: {} bits for {} bytes", name, bits, bytes.size()));
	}
	if (holds)
		checks_.check("no credit is above the free room of the pool",
		              bits <= holds->size - holds->available, fmt::format("{} bits", bits));
	if (refuses)
		return fail_errno(EPERM, "the sink");
	taken += bytes.size();
	credited += bits;
	return {};
}

} // namespace hwrngd::soak
