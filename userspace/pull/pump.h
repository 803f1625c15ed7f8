// SPDX-License-Identifier: GPL-2.0-or-later
// Copies bytes from another machine into a pipe, only as many as the reader wants.
#pragma once

#include "pull/peer.h"

#include <chrono>
#include <functional>

namespace hwrngd {

/// Time limits and pauses.
struct Pace {
	/// Limit for an answer. Less than stall_limit (source/source.h), so that the reason of a
	/// failure is logged before the reader of the pipe gives up.
	std::chrono::milliseconds answer{8'000};
	// The pause after the first failure, and its limit when failures go on: each pause is twice as
	// long as the one before. The actual pause is a random part of it, at least half, so that the
	// clients of one server do not come all at once. A random pause of up to `first_pause` also
	// precedes the first pull.
	std::chrono::milliseconds first_pause{1'000};
	std::chrono::milliseconds longest_pause{60'000};
};

/// Called with an error after the first failure, and after each failure with another message than
/// the one before. Called with nullptr when bytes come again.
using Tell = std::function<void(const Error *)>;

/// Pulls whenever the pipe `out` has been emptied, until it has no reader or a signal was caught
/// (interrupt.h). So at most one pull is wasted. For that, the size of the pipe is set to one page.
/// Fails with ExitCode::usage if `out` is not a pipe.
[[nodiscard]] Result<void> pump(Peer &peer, int out, const Pace &pace, const Tell &tell);

} // namespace hwrngd
