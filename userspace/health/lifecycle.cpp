// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/lifecycle.h"

#include <algorithm>

#include <fmt/format.h>

namespace hwrngd {

using enum SourceState;

const char *name(SourceState state)
{
	switch (state) {
	case absent:
		return "absent";
	case starting:
		return "starting";
	case healthy:
		return "healthy";
	case suspect:
		return "suspect";
	case quarantined:
		return "quarantined";
	}
	return "?";
}

const Step *Lifecycle::go(SourceState to, const std::string &reason, Time now)
{
	path_.push_back({now, state_, to, reason});
	if (path_.size() > most_steps)
		path_.pop_front();
	state_ = to;
	return &path_.back();
}

const Step *Lifecycle::quarantine(const std::string &reason, Time now)
{
	if (quarantines_ > 0 && now - until_ >= backoff_.forgiven)
		quarantines_ = 0;
	// Double step by step: a shift by `quarantines_` could overflow.
	auto length = backoff_.first;
	for (unsigned i = 0; i < quarantines_ && length < backoff_.most; i++)
		length *= 2;
	length = std::min(length, backoff_.most);
	quarantines_++;
	until_ = now + length;
	must_prove_ = true;
	read_failed_ = false;
	usable_ = false;
	return go(
	    quarantined,
	    fmt::format("{}; next try in {} s", reason, std::chrono::duration<double>(length).count()),
	    now);
}

const Step *Lifecycle::appeared(Time now)
{
	if (state_ != absent)
		return nullptr;
	// A source cannot escape its quarantine by disappearing for a moment.
	if (now < until_)
		return go(quarantined, "it is back before its quarantine is over", now);
	restart();
	return go(starting, "it appeared", now);
}

const Step *Lifecycle::vanished(const std::string &reason, Time now)
{
	read_failed_ = false;
	usable_ = false;
	return state_ == absent ? nullptr : go(absent, reason, now);
}

const Step *Lifecycle::returned_bytes(std::span<const uint8_t> bytes, Time now)
{
	usable_ = false;
	if (!readable())
		return nullptr;
	read_failed_ = false;
	const auto verdict = tests_.test(bytes);
	if (verdict == Verdict::failed)
		return quarantine(tests_.reason(), now);
	if (verdict == Verdict::doubtful)
		return doubt(tests_.reason(), now);
	if (verdict == Verdict::starting ||
	    (must_prove_ && tests_.fips().blocks < doubted_at_ + blocks_of_proof))
		return nullptr;
	usable_ = true;
	const auto *why = must_prove_ ? "it passed all tests again" : "it passed the start-up test";
	must_prove_ = false;
	return state_ == healthy ? nullptr : go(healthy, why, now);
}

const Step *Lifecycle::doubt(const std::string &reason, Time now)
{
	must_prove_ = true;
	doubted_at_ = tests_.fips().blocks;
	return state_ == healthy ? go(suspect, reason, now) : nullptr;
}

const Step *Lifecycle::stuttered(const std::string &reason, Time now)
{
	usable_ = false;
	return state_ == healthy ? doubt(reason, now) : nullptr;
}

const Step *Lifecycle::failed_to_read(const std::string &reason, Time now)
{
	if (!readable())
		return nullptr;
	if (read_failed_)
		return quarantine(reason, now);
	read_failed_ = true;
	return stuttered(reason, now);
}

const Step *Lifecycle::stalled(const std::string &reason, Time now)
{
	return readable() ? quarantine(reason, now) : nullptr;
}

const Step *Lifecycle::time_passed(Time now)
{
	if (state_ != quarantined || now < until_)
		return nullptr;
	restart();
	return go(starting, "its quarantine is over", now);
}

void Lifecycle::restart()
{
	tests_.restart();
	doubted_at_ = tests_.fips().blocks;
}

bool Lifecycle::readable() const
{
	return state_ == starting || state_ == healthy || state_ == suspect;
}

bool Lifecycle::proving() const
{
	return state_ == starting || state_ == suspect;
}

std::optional<Time> Lifecycle::retry_at() const
{
	return state_ == quarantined ? std::optional(until_) : std::nullopt;
}

} // namespace hwrngd
