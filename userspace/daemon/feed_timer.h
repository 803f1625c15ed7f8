// SPDX-License-Identifier: GPL-2.0-or-later
// When to feed next.
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

	/// Calls `due` after `interval`, give or take a tenth; what was to be called before is not.
	void start(std::chrono::milliseconds interval, std::function<void()> due);

private:
	asio::steady_timer timer_;
	/// No secret, and not to be waited for: std::random_device may ask a CRNG that is not ready.
	std::minstd_rand random_{static_cast<std::minstd_rand::result_type>(
	    std::chrono::steady_clock::now().time_since_epoch().count())};
};

} // namespace hwrngd
