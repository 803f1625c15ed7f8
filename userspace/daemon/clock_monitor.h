// SPDX-License-Identifier: GPL-2.0-or-later
// Tells when the machine has resumed from suspend, or its clock was set. timerfd_create(2),
// TFD_TIMER_CANCEL_ON_SET; kernel/time/timekeeping.c does the same to such timers on resume.
#pragma once

#include "base/error.h"

#include <functional>
#include <memory>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace hwrngd {

class ClockMonitor {
public:
	/// From now on `jumped` is called in the event loop after each.
	[[nodiscard]] static Result<std::unique_ptr<ClockMonitor>> open(asio::io_context &io,
	                                                                std::function<void()> jumped);

private:
	ClockMonitor(asio::io_context &io, int fd, std::function<void()> jumped);
	void wait();

	asio::posix::stream_descriptor descriptor_;
	std::function<void()> jumped_;
};

} // namespace hwrngd
