// SPDX-License-Identifier: GPL-2.0-or-later
// A thread for what may take for ever, such as a read(2) of /dev/hwrng: in virtio_read() of the
// kernel's virtio-rng no signal but a fatal one ends it. Who gave a job need not wait for it.
#pragma once

#include <functional>
#include <memory>

namespace hwrngd {

class Worker {
public:
	Worker();
	Worker(const Worker &) = delete;
	Worker &operator=(const Worker &) = delete;
	/// Waits for no job: a thread that still does one is left behind, and ends with it or with the
	/// process. A job must therefore own all that it touches. Jobs that were not begun are dropped.
	~Worker();

	/// Gives it a job. They are done one after the other. No signal reaches the thread.
	void run(std::function<void()> job);

private:
	struct State;
	std::shared_ptr<State> state_; // the thread's too
};

} // namespace hwrngd
