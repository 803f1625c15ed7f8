// SPDX-License-Identifier: GPL-2.0-or-later
// Sees what is read and what is fed, and whether that is right.
#pragma once

#include "pool/pipeline.h"

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace hwrngd::soak {

/// What must hold all the time, each by its sentence. A check that never failed has passed.
class Checks {
public:
	/// Notes whether it holds; says so when it does not, the first times.
	void check(const std::string &what, bool holds, const std::string &details = {});

	/// Prints each with its result, and "N passed, N failed, 0 skipped". Returns whether all hold.
	[[nodiscard]] bool report() const;
	[[nodiscard]] uint64_t failed() const;

private:
	std::map<std::string, uint64_t> failures_; ///< by what should hold
};

/// The bytes of each source's harvest under way, as they were read. The readers' threads fill it.
class Ledger {
public:
	struct Harvest {
		const uint8_t *begin = nullptr; ///< where they were read to
		std::vector<uint8_t> bytes;
		size_t fed = 0; ///< up to there they were fed, or passed over
	};

	void begin(const std::string &source);
	void took(const std::string &source, std::span<const uint8_t> bytes);

	/// The source whose bytes these are, and which were not fed before; empty if there is none.
	[[nodiscard]] std::string claim(std::span<const uint8_t> bytes);

private:
	std::mutex mutex_; // guards all below
	std::map<std::string, Harvest> harvests_;
};

/// The pool. Refuses, is full, or wants more, when told.
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
