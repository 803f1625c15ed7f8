// SPDX-License-Identifier: GPL-2.0-or-later
// The states of a source: absent, starting, healthy, suspect, quarantined. A pure state machine: it
// gets each event with its time, and returns the next state and the reason.
#pragma once

#include "health/live_tests.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>

namespace hwrngd {

enum class SourceState : uint8_t {
	absent,      ///< the source does not exist now
	starting,    ///< the start-up test runs, for the first time or after a quarantine
	healthy,     ///< the only state in which its bytes are used
	suspect,     ///< it had a fault that a good source may have too, and must pass tests again
	quarantined, ///< not read for some time; each quarantine is longer than the one before
};

[[nodiscard]] const char *name(SourceState state);

using Time = std::chrono::steady_clock::time_point;

/// One change of state.
struct Step {
	Time when;
	SourceState from = SourceState::absent;
	SourceState to = SourceState::absent;
	std::string reason;
};

/// How long a quarantine lasts: `first`, then twice as long each time, up to `most`. After a source
/// has stayed out of quarantine for `forgiven`, its next one lasts `first` again.
struct Backoff {
	std::chrono::milliseconds first{10'000};
	std::chrono::milliseconds most{3'600'000};
	std::chrono::milliseconds forgiven{3'600'000};
};

class Lifecycle {
public:
	/// FIPS 140-2 blocks that a source must pass in a row before it is trusted again.
	static constexpr uint64_t blocks_of_proof = 8;
	/// The number of steps that are remembered.
	static constexpr size_t most_steps = 32;

	explicit Lifecycle(Backoff backoff = {}) : backoff_(backoff) {}

	// Events. Each returns the change of state that it caused, or nullptr. The pointer is valid
	// until the next call.

	const Step *appeared(Time now);
	const Step *vanished(const std::string &reason, Time now);
	/// The source returned bytes. Call usable() to learn if they may be used.
	const Step *returned_bytes(std::span<const uint8_t> bytes, Time now);
	/// The source answered late.
	const Step *stuttered(const std::string &reason, Time now);
	/// A read failed. The first failure makes the source suspect, a second one in a row quarantines
	/// it.
	const Step *failed_to_read(const std::string &reason, Time now);
	/// The source returned no data within the time limit.
	const Step *stalled(const std::string &reason, Time now);
	/// Time has passed: ends a quarantine that is over.
	const Step *time_passed(Time now);

	[[nodiscard]] SourceState state() const { return state_; }
	/// True if the source may be read.
	[[nodiscard]] bool readable() const;
	/// True if the source must be read without a pause, because it has tests to pass.
	[[nodiscard]] bool proving() const;
	/// True if the last bytes may be used.
	[[nodiscard]] bool usable() const { return usable_; }
	/// The end of the current quarantine, if there is one.
	[[nodiscard]] std::optional<Time> retry_at() const;
	[[nodiscard]] const std::deque<Step> &path() const { return path_; }
	[[nodiscard]] const LiveTests &tests() const { return tests_; }

private:
	const Step *go(SourceState to, const std::string &reason, Time now);
	const Step *doubt(const std::string &reason, Time now);
	const Step *quarantine(const std::string &reason, Time now);
	void restart();

	Backoff backoff_;
	LiveTests tests_;
	SourceState state_ = SourceState::absent;
	std::deque<Step> path_;
	unsigned quarantines_ = 0; ///< number of quarantines in a row
	Time until_;               ///< end of the last quarantine
	bool must_prove_ = false;  ///< must pass blocks_of_proof, not only the start-up test
	uint64_t doubted_at_ = 0;  ///< number of tested blocks when it last became doubtful
	bool read_failed_ = false; ///< the last read failed
	bool usable_ = false;
};

} // namespace hwrngd
