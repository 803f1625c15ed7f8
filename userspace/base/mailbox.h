// SPDX-License-Identifier: GPL-2.0-or-later
// Lets a thread run a function in the event loop. The thread may outlive the loop.
#pragma once

#include <mutex>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

namespace hwrngd {

class Mailbox {
public:
	explicit Mailbox(asio::io_context &io) : io_(&io) {}

	/// Runs `job` in the event loop's thread, or never if the mailbox is closed.
	template <typename Job> void post(Job job)
	{
		const std::lock_guard lock(mutex_);
		if (io_ != nullptr)
			asio::post(*io_, std::move(job));
	}

	/// Call it before the event loop is destroyed. The loop must not run jobs that were posted
	/// before.
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
