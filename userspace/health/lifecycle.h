// SPDX-License-Identifier: GPL-2.0-or-later
// What a source lives through: absent, starting, healthy, suspect, quarantined. Pure: what happened
// and when comes in, the next state and its reason come out.
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
	absent,      ///< not there
	starting,    ///< under its start-up test, for the first time or after a quarantine
	healthy,     ///< the only state in which its bytes count
	suspect,     ///< one trouble that a good source may have as well; it must prove itself
	quarantined, ///< not read until a time, later each time
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

/// How long a quarantine lasts: `first`, then twice as long each time, `most` in the end. A source
/// that stayed out of it for `forgiven` begins anew.
struct Backoff {
	std::chrono::milliseconds first{10'000};
	std::chrono::milliseconds most{3'600'000};
	std::chrono::milliseconds forgiven{3'600'000};
};

class Lifecycle {
public:
	/// Blocks of FIPS 140-2 that a source must pass in a row before it is believed again.
	static constexpr uint64_t blocks_of_proof = 8;
	/// As many steps are remembered.
	static constexpr size_t most_steps = 32;

	explicit Lifecycle(Backoff backoff = {}) : backoff_(backoff) {}

	// What happened. Each returns the step that it led to, or nullptr; the pointer lives until
	// the next call.

	const Step *appeared(Time now);
	const Step *vanished(const std::string &reason, Time now);
	/// It gave bytes. Ask usable() whether they count.
	const Step *gave(std::span<const uint8_t> bytes, Time now);
	/// It answered late.
	const Step *stuttered(const std::string &reason, Time now);
	/// A read failed: once is suspicious, twice in a row is enough.
	const Step *failed_to_read(const std::string &reason, Time now);
	/// It gave nothing for so long that nobody waits for it any more.
	const Step *stalled(const std::string &reason, Time now);
	/// Ends a quarantine whose time is over.
	const Step *waited(Time now);

	[[nodiscard]] SourceState state() const { return state_; }
	/// May it be read?
	[[nodiscard]] bool readable() const;
	/// Must it be read on at once, since it has to prove itself?
	[[nodiscard]] bool proving() const;
	/// Do the bytes count that it gave last?
	[[nodiscard]] bool usable() const { return usable_; }
	/// When a quarantine ends.
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
	unsigned quarantines_ = 0; ///< in a row
	Time until_;               ///< of the last quarantine
	bool must_prove_ = false;  ///< while starting: blocks_of_proof, not only the start-up test
	uint64_t doubted_at_ = 0;  ///< blocks tested when it last became doubtful
	bool read_failed_ = false; ///< the last read did
	bool usable_ = false;
};

} // namespace hwrngd
