// SPDX-License-Identifier: GPL-2.0-or-later
// The way from a thread to the event loop, for threads that may outlive it.
#pragma once

#include <mutex>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

namespace hwrngd {

class Mailbox {
public:
	explicit Mailbox(asio::io_context &io) : io_(&io) {}

	/// Runs `what` in the event loop's thread, or never if that has closed the mailbox.
	template <typename What> void post(What what)
	{
		const std::lock_guard lock(mutex_);
		if (io_ != nullptr)
			asio::post(*io_, std::move(what));
	}

	/// The event loop goes away. It must not run what was posted before.
	void close()
	{
		const std::lock_guard lock(mutex_);
		io_ = nullptr;
	}

private:
	std::mutex mutex_; // guards io_
	asio::io_context *io_;
};

} // namespace hwrngd
