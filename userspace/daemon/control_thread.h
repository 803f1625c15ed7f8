// SPDX-License-Identifier: GPL-2.0-or-later
// The thread for all that asks the hwrng framework, which may hang: a stalled framework stalls
// nothing else.
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
	/// Leaves behind a job that hangs.
	~ControlThread() { close(); }

	/// Does `job` when the jobs before it are done. It must own all that it touches.
	template <typename Job> void run(Job job) { worker_.run(std::move(job)); }

	/// As above; then calls `then` with what `job` returned, in the event loop's thread.
	template <typename Job, typename Then> void run(Job job, Then then)
	{
		worker_.run([job = std::move(job), then = std::move(then), mailbox = mailbox_] {
			mailbox->post([then, result = job()] { then(result); });
		});
	}

	/// The event loop ends: nothing is called in it any more.
	void close() { mailbox_->close(); }

private:
	std::shared_ptr<Mailbox> mailbox_;
	Worker worker_;
};

} // namespace hwrngd
