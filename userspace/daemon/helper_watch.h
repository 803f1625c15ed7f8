// SPDX-License-Identifier: GPL-2.0-or-later
// Notices when the privileged helper dies. Without it the daemon cannot open anything.
#pragma once

#include "process/helper.h"

#include <functional>
#include <memory>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace hwrngd {

class HelperWatch {
public:
	HelperWatch(asio::io_context &io, std::shared_ptr<const Helper> helper)
	    : helper_(std::move(helper)), end_(io)
	{
	}

	/// From now on, calls `on_death` when the helper dies.
	[[nodiscard]] Result<void> start(std::function<void()> on_death);

	[[nodiscard]] bool alive() const { return alive_; }
	[[nodiscard]] const std::shared_ptr<const Helper> &helper() const { return helper_; }

private:
	std::shared_ptr<const Helper> helper_;
	asio::posix::stream_descriptor end_;
	bool alive_ = true;
};

} // namespace hwrngd
