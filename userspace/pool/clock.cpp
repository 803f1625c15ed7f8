// SPDX-License-Identifier: GPL-2.0-or-later
#include "pool/clock.h"

#include <utility>

#include <asio/steady_timer.hpp>

namespace hwrngd {

Clock steady_clock_of(asio::io_context &io)
{
	return {.now = [] { return std::chrono::steady_clock::now(); },
	        .call_at = [&io](Time when, std::function<void()> due) -> Alarm {
		        auto timer = std::make_shared<asio::steady_timer>(io, when);
		        timer->async_wait([due = std::move(due)](const asio::error_code &error) {
			        if (!error)
				        due();
		        });
		        return timer;
	        }};
}

} // namespace hwrngd
