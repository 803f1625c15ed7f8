// SPDX-License-Identifier: GPL-2.0-or-later
// Notices when the machine resumes from suspend or its clock is set: timerfd_create(2) with
// TFD_TIMER_CANCEL_ON_SET. kernel/time/timekeeping.c cancels such timers on resume too.
#pragma once

#include "base/error.h"

#include <functional>
#include <memory>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace hwrngd {

class ClockMonitor {
public:
	/// From now on, calls `jumped` in the event loop after each such event.
	[[nodiscard]] static Result<std::unique_ptr<ClockMonitor>> open(asio::io_context &io,
	                                                                std::function<void()> jumped);

private:
	ClockMonitor(asio::io_context &io, int fd, std::function<void()> jumped);
	void wait();

	asio::posix::stream_descriptor descriptor_;
	std::function<void()> jumped_;
};

} // namespace hwrngd
