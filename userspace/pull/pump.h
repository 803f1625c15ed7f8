// SPDX-License-Identifier: GPL-2.0-or-later
// From another machine into a pipe, no more than is wanted.
#pragma once

#include "pull/peer.h"

#include <chrono>
#include <functional>

namespace hwrngd {

/// How long to wait for what.
struct Pace {
	/// For an answer. Less than stall_limit (source/source.h), so that the reason is told before
	/// whoever reads the pipe loses patience.
	std::chrono::milliseconds answer{8'000};
	// After a failure: at first, and when it goes on; between half of it and all, by chance, so
	// that the clients of one server do not come all at once. Before the first pull too, up to the
	// first.
	std::chrono::milliseconds first_pause{1'000};
	std::chrono::milliseconds longest_pause{60'000};
};

/// Is told of the first failure, of each that has another reason than the one before, and (with
/// nullptr) when bytes come again.
using Tell = std::function<void(const Error *)>;

/// Pulls whenever pipe `out` has been read empty, until nobody reads it any more, or a signal was
/// caught (interrupt.h): what was pulled and is not wanted is one pull at most. The pipe becomes
/// one page for that. Fails with ExitCode::usage if `out` is no pipe.
[[nodiscard]] Result<void> pump(Peer &peer, int out, const Pace &pace, const Tell &tell);

} // namespace hwrngd
