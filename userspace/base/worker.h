// SPDX-License-Identifier: GPL-2.0-or-later
// A thread for jobs that may never end. An example is a read(2) of /dev/hwrng: in virtio_read() of
// the kernel's virtio-rng only a fatal signal ends it. The caller need not wait for a job.
#pragma once

#include <functional>
#include <memory>

namespace hwrngd {

class Worker {
public:
	Worker();
	Worker(const Worker &) = delete;
	Worker &operator=(const Worker &) = delete;
	/// Does not wait for a job: a thread that still runs one is left behind, and ends with the job
	/// or with the process. A job must therefore own everything that it uses. Jobs that have not
	/// started are dropped.
	~Worker();

	/// Queues a job. Jobs run one after the other. The thread receives no signals.
	void run(std::function<void()> job);

private:
	struct State;
	std::shared_ptr<State> state_; // shared with the thread
};

} // namespace hwrngd
