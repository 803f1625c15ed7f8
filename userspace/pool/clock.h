// SPDX-License-Identifier: GPL-2.0-or-later
// The clock that the pipeline uses: the machine's, or that of a test, which need not wait.
#pragma once

#include "health/lifecycle.h"

#include <functional>
#include <memory>

#include <asio/io_context.hpp>

namespace hwrngd {

/// A call that is due at a time. Destroying it cancels the call.
using Alarm = std::shared_ptr<void>;

struct Clock {
	/// Can be called from any thread.
	std::function<Time()> now;
	/// Calls `due` in the event loop's thread. If the call was just about to be made when its alarm
	/// is destroyed, it may still be made.
	std::function<Alarm(Time when, std::function<void()> due)> call_at;
};

/// The machine's clock. The event loop must outlive it.
[[nodiscard]] Clock steady_clock_of(asio::io_context &io);

} // namespace hwrngd
