// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/worker.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace hwrngd {

struct Worker::State {
	/// The body of the thread: runs jobs until it is told to end.
	void serve()
	{
		std::unique_lock lock(mutex);
		while (true) {
			changed.wait(lock, [this] { return !jobs.empty() || ending; });
			if (ending)
				return;
			{
				const auto job = std::move(jobs.front());
				jobs.pop_front();
				working = true;
				lock.unlock();
				job();
			}
			lock.lock();
			working = false;
			changed.notify_all();
		}
	}

	std::thread thread;
	std::mutex mutex; // guards all below
	std::condition_variable changed;
	std::deque<std::function<void()>> jobs;
	bool working = false;
	bool ending = false;
};

Worker::Worker() : state_(std::make_shared<State>())
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	state_->thread = std::thread([state = state_] { state->serve(); });
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Worker::~Worker()
{
	// Moved out of the state, because the thread may be the last to own the state.
	auto thread = std::move(state_->thread);
	bool ended = false;
	{
		std::unique_lock lock(state_->mutex);
		state_->ending = true;
		// A job that has delivered its result ends within moments: wait for it.
		ended = state_->changed.wait_for(lock, std::chrono::milliseconds(20),
		                                 [this] { return !state_->working; });
	}
	state_->changed.notify_all();
	if (ended)
		thread.join();
	else
		thread.detach();
}

void Worker::run(std::function<void()> job)
{
	{
		const std::lock_guard lock(state_->mutex);
		state_->jobs.push_back(std::move(job));
	}
	state_->changed.notify_all();
}

} // namespace hwrngd
