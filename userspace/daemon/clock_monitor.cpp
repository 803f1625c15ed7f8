// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/clock_monitor.h"

#include "base/file_descriptor.h"
#include "base/log.h"

#include <sys/timerfd.h>

#include <cstdint>
#include <limits>
#include <utility>

namespace hwrngd {

namespace {

/// Sets a timer that never expires; a jump of the clock cancels it.
[[nodiscard]] bool arm(int fd)
{
	struct itimerspec never = {};
	never.it_value.tv_sec = std::numeric_limits<time_t>::max();
	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) == 0;
}

} // namespace

Result<std::unique_ptr<ClockMonitor>> ClockMonitor::open(asio::io_context &io,
                                                         std::function<void()> jumped)
{
	FileDescriptor fd(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
	if (!fd)
		return fail_errno(errno, "timerfd_create");
	if (!arm(fd.get()))
		return fail_errno(errno, "timerfd_settime");
	std::unique_ptr<ClockMonitor> monitor(new ClockMonitor(io, fd.release(), std::move(jumped)));
	monitor->wait();
	return monitor;
}

ClockMonitor::ClockMonitor(asio::io_context &io, int fd, std::function<void()> jumped)
    : descriptor_(io, fd), jumped_(std::move(jumped))
{
}

void ClockMonitor::wait()
{
	descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
	                       [this](const asio::error_code &error) {
		                       if (error)
			                       return;
		                       uint64_t expirations = 0;
		                       const int fd = descriptor_.native_handle();
		                       const auto n = ::read(fd, &expirations, sizeof expirations);
		                       const bool jumped = n < 0 && errno == ECANCELED;
		                       if (jumped)
			                       jumped_();
		                       if (arm(fd))
			                       wait();
		                       else
			                       log(Priority::warning, Event::restricted,
			                           fail_errno(errno, "timerfd_settime").error().message);
	                       });
}

} // namespace hwrngd
