// SPDX-License-Identifier: GPL-2.0-or-later
// A pipeline with a sink that counts, and sources that behave as a test says.
#pragma once

#include "pool/pipeline.h"

#include "aes_ctr.h"

#include <algorithm>
#include <condition_variable>
#include <set>
#include <utility>

#include <asio/executor_work_guard.hpp>

#include <gtest/gtest.h>

namespace hwrngd::test {

using namespace std::chrono_literals;

/// Counts the bytes that it gets.
class TestSink : public Sink {
public:
	Result<void> add(std::span<const uint8_t> bytes, uint64_t bits) override
	{
		if (refuses)
			return fail_errno(EPERM, "the sink");
		taken += bytes.size();
		credited += bits;
		return {};
	}
	Result<bool> reseed() override
	{
		if (refuses_reseeds)
			return fail_errno(EPERM, "the sink");
		reseeds++;
		return true;
	}
	std::optional<PoolLevel> level() override { return holds; }
	bool ready() override { return credited >= ready_at; }

	uint64_t taken = 0;
	uint64_t credited = 0;
	unsigned reseeds = 0;
	uint64_t ready_at = 0;
	std::optional<PoolLevel> holds;
	bool refuses = false;
	bool refuses_reseeds = false;
};

/// A clock that stands still until it is moved.
class TestClock {
public:
	/// Can be called from any thread.
	void move(std::chrono::milliseconds by)
	{
		const std::lock_guard lock(mutex_);
		now_ += by;
	}
	[[nodiscard]] Time now()
	{
		const std::lock_guard lock(mutex_);
		return now_;
	}
	/// Makes the calls that are due. Must be called in the thread of the event loop.
	void call_due()
	{
		for (;;) {
			const auto found = std::ranges::find_if(calls_, [&](const auto &call) {
				return call.expired() || call.lock()->first <= now();
			});
			if (found == calls_.end())
				return;
			const auto call = found->lock();
			calls_.erase(found);
			if (call)
				call->second();
		}
	}
	[[nodiscard]] Clock clock()
	{
		return {.now = [this] { return now(); },
		        .call_at = [this](Time when, std::function<void()> due) -> Alarm {
			        auto call = std::make_shared<Call>(when, std::move(due));
			        calls_.push_back(call);
			        return call;
		        }};
	}

private:
	using Call = std::pair<Time, std::function<void()>>;

	std::mutex mutex_; // guards now_
	Time now_{std::chrono::hours(1)};
	std::vector<std::weak_ptr<Call>> calls_;
};

/// What the fake sources do. It can be changed while they are read.
struct Behaviour {
	enum Kind : uint8_t { good, zeros, broken, ended, stalled, closed, gone, taken };

	std::mutex mutex; // guards everything below
	std::condition_variable changed;
	std::map<std::string, Kind> kind;
	std::map<std::string, std::chrono::milliseconds> delay; ///< that a read moves the clock
	std::set<std::string> held;                             ///< reads wait until let_go()
	std::shared_ptr<TestClock> clock = std::make_shared<TestClock>();
	std::map<std::string, unsigned> reads;
	AesCtr random;

	void set(const std::string &name, Kind value)
	{
		const std::lock_guard lock(mutex);
		kind[name] = value;
	}
	void hold(const std::string &name)
	{
		const std::lock_guard lock(mutex);
		held.insert(name);
	}
	void let_go(const std::string &name)
	{
		const std::lock_guard lock(mutex);
		held.erase(name);
		changed.notify_all();
	}
};

class FakeSource : public Source {
public:
	FakeSource(std::string name, std::shared_ptr<Behaviour> behaviour)
	    : name_(std::move(name)), behaviour_(std::move(behaviour))
	{
	}
	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		std::unique_lock lock(behaviour_->mutex);
		behaviour_->reads[name_]++;
		behaviour_->clock->move(behaviour_->delay[name_]);
		behaviour_->changed.wait(lock, [this] { return !behaviour_->held.contains(name_); });
		switch (behaviour_->kind[name_]) {
		case Behaviour::good:
			behaviour_->random.fill(out);
			return out.size();
		case Behaviour::zeros:
			std::fill(out.begin(), out.end(), uint8_t{0});
			return out.size();
		case Behaviour::ended:
			return 0;
		case Behaviour::stalled:
			return fail_stalled(name_, limit);
		case Behaviour::gone:
			return fail_errno(ENODEV, name_);
		case Behaviour::taken:
			return fail(ExitCode::unavailable, "another program reads it");
		default:
			return fail_errno(EIO, name_);
		}
	}

private:
	std::string name_;
	std::shared_ptr<Behaviour> behaviour_;
};

struct Machine {
	Machine()
	    : pipeline(
	          io, sink,
	          {.open = [b = behaviour](const SourceInfo &info) -> Result<std::unique_ptr<Source>> {
		           {
			           const std::lock_guard lock(b->mutex);
			           if (b->kind[info.name] == Behaviour::closed)
				           return fail_errno(EACCES, info.name);
		           }
		           return std::make_unique<FakeSource>(info.name, b);
	           },
	           .on_step = [this](const std::string &source,
	                             const Step &step) { steps[source].push_back(step.to); },
	           .on_lost = [this](const std::string &source) { lost.push_back(source); },
	           .on_feed =
	               [this] {
		               if (feeds++ == 0)
			               first_feed_waited = !pipeline.busy();
	               },
	           .on_error = [this](const Error &error) { errors.push_back(error.message); }},
	          {}, behaviour->clock->clock())
	{
		pipeline.configure(config);
	}

	void has(const std::string &name, SourceKind kind, Use use = Use::read)
	{
		decision.sources.push_back({{name, kind, "", 1024, use == Use::read}, use, "told"});
	}
	/// Runs the event loop until no source is being read.
	void run()
	{
		io.restart();
		io.poll();
		run_until([this] { return !pipeline.busy(); });
	}
	/// Runs the event loop until the condition is true.
	template <typename Condition> void run_until(const Condition &condition)
	{
		const auto work = asio::make_work_guard(io);
		const auto limit = std::chrono::steady_clock::now() + 20s;
		io.restart();
		behaviour->clock->call_due();
		while (!condition() && std::chrono::steady_clock::now() < limit) {
			io.run_one_for(50ms);
			behaviour->clock->call_due();
		}
		ASSERT_TRUE(condition());
	}
	/// Lets this much time pass on the test's clock.
	void wait(std::chrono::milliseconds time)
	{
		behaviour->clock->move(time);
		behaviour->clock->call_due();
	}
	void begin()
	{
		pipeline.apply(decision);
		pipeline.feed();
		run();
	}
	[[nodiscard]] const PipelineSource &source(const std::string &name) const
	{
		return pipeline.sources().at(name);
	}

	asio::io_context io;
	TestSink sink;
	std::shared_ptr<Behaviour> behaviour = std::make_shared<Behaviour>();
	std::map<std::string, std::vector<SourceState>> steps;
	std::vector<std::string> errors;
	uint64_t feeds = 0; // calls of on_feed
	bool first_feed_waited = true;
	std::vector<std::string> lost;
	Config config;
	Decision decision;
	Pipeline pipeline;
};

} // namespace hwrngd::test
