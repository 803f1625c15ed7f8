// SPDX-License-Identifier: GPL-2.0-or-later
// Watches which bytes are read and fed, and checks the rules for them.
#pragma once

#include "pool/pipeline.h"

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace hwrngd::soak {

/// Rules that must always hold, each named by a sentence. A check that never failed has passed.
class Checks {
public:
	/// Records whether the rule holds. Prints the first violations.
	void check(const std::string &what, bool holds, const std::string &details = {});

	/// Prints each rule with its result, and "N passed, N failed, 0 skipped". Returns whether all
	/// hold.
	[[nodiscard]] bool report() const;
	[[nodiscard]] uint64_t failed() const;

private:
	std::map<std::string, uint64_t> failures_; ///< by rule
};

/// The bytes that each source's current harvest has read. Filled by the readers' threads.
class Ledger {
public:
	struct Harvest {
		const uint8_t *begin = nullptr; ///< the buffer of the read
		std::vector<uint8_t> bytes;
		size_t fed = 0; ///< number of bytes that were fed or skipped
	};

	void begin(const std::string &source);
	void took(const std::string &source, std::span<const uint8_t> bytes);

	/// Finds the source that has these bytes, not fed before. Returns "" if there is none.
	[[nodiscard]] std::string claim(std::span<const uint8_t> bytes);

private:
	std::mutex mutex_; // guards all below
	std::map<std::string, Harvest> harvests_;
};

/// A fake of the kernel's pool. It refuses bytes, is full, or wants more, as set by the test.
class WatchingSink : public Sink {
public:
	WatchingSink(Ledger &ledger, Checks &checks, const Config &config)
	    : ledger_(ledger), checks_(checks), config_(config)
	{
	}
	void watch(const Pipeline &pipeline) { pipeline_ = &pipeline; }

	Result<void> add(std::span<const uint8_t> bytes, uint64_t bits) override;
	Result<bool> reseed() override { return true; }
	std::optional<PoolLevel> level() override { return holds; }
	bool ready() override { return taken >= ready_at; }

	std::optional<PoolLevel> holds;
	bool refuses = false;
	uint64_t ready_at = 0;
	uint64_t taken = 0;    ///< bytes
	uint64_t credited = 0; ///< bits

private:
	Ledger &ledger_;
	Checks &checks_;
	const Config &config_;
	const Pipeline *pipeline_ = nullptr;
};

} // namespace hwrngd::soak
