// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/feed_timer.h"

#include <utility>

namespace hwrngd {

void FeedTimer::start(std::chrono::milliseconds interval, std::function<void()> due)
{
	// Virtual machines that were started together must not all read their host at the same time.
	std::uniform_real_distribution<double> around(0.9, 1.1);
	timer_.expires_after(
	    std::chrono::duration_cast<std::chrono::microseconds>(interval * around(random_)));
	timer_.async_wait([due = std::move(due)](const asio::error_code &error) {
		if (!error)
			due();
	});
}

} // namespace hwrngd
