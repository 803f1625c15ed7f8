// SPDX-License-Identifier: GPL-2.0-or-later
// The timer for the next feed.
#pragma once

#include <chrono>
#include <functional>
#include <random>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

namespace hwrngd {

class FeedTimer {
public:
	explicit FeedTimer(asio::io_context &io) : timer_(io) {}

	/// Calls `due` after `interval`, give or take 10 %. Replaces a call that is still pending.
	void start(std::chrono::milliseconds interval, std::function<void()> due);

private:
	asio::steady_timer timer_;
	/// Need not be secret. Not std::random_device, which may wait for a CRNG that is not ready.
	std::minstd_rand random_{static_cast<std::minstd_rand::result_type>(
	    std::chrono::steady_clock::now().time_since_epoch().count())};
};

} // namespace hwrngd
