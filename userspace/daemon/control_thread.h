// SPDX-License-Identifier: GPL-2.0-or-later
// The thread for everything that uses the hwrng framework, which may hang. A stalled framework then
// stalls nothing else.
#pragma once

#include "base/mailbox.h"
#include "base/worker.h"

#include <memory>
#include <utility>

#include <asio/io_context.hpp>

namespace hwrngd {

class ControlThread {
public:
	explicit ControlThread(asio::io_context &io) : mailbox_(std::make_shared<Mailbox>(io)) {}
	ControlThread(const ControlThread &) = delete;
	ControlThread &operator=(const ControlThread &) = delete;
	/// A job that hangs is left behind.
	~ControlThread() { close(); }

	/// Runs `job` after the jobs before it. It must own everything that it uses.
	template <typename Job> void run(Job job) { worker_.run(std::move(job)); }

	/// As above; then calls `then` with the result of `job`, in the event loop's thread.
	template <typename Job, typename Then> void run(Job job, Then then)
	{
		worker_.run([job = std::move(job), then = std::move(then), mailbox = mailbox_] {
			mailbox->post([then, result = job()] { then(result); });
		});
	}

	/// To be called when the event loop ends: no further `then` is called.
	void close() { mailbox_->close(); }

private:
	std::shared_ptr<Mailbox> mailbox_;
	Worker worker_;
};

} // namespace hwrngd
