// SPDX-License-Identifier: GPL-2.0-or-later
// The time that the pipeline goes by: the machine's, or that of a test, which nobody waits for.
#pragma once

#include "health/lifecycle.h"

#include <functional>
#include <memory>

#include <asio/io_context.hpp>

namespace hwrngd {

/// A call that is due at a time. To destroy it cancels the call.
using Alarm = std::shared_ptr<void>;

struct Clock {
	/// Of any thread.
	std::function<Time()> now;
	/// Calls `due` in the event loop's thread. A call that was about to be made when its alarm was
	/// destroyed may still be made.
	std::function<Alarm(Time when, std::function<void()> due)> call_at;
};

/// That of the machine, by an event loop which outlives it.
[[nodiscard]] Clock steady_clock_of(asio::io_context &io);

} // namespace hwrngd
