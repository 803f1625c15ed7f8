// SPDX-License-Identifier: GPL-2.0-or-later
// A pipeline with a sink that remembers and sources that behave as they are told.
#pragma once

#include "pool/pipeline.h"

#include "aes_ctr.h"

#include <condition_variable>

#include <gtest/gtest.h>

namespace hwrngd::test {

using namespace std::chrono_literals;

/// Remembers what it was given.
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
};

/// What the fake sources do, changed while they are read.
struct Behaviour {
	enum Kind : uint8_t { good, zeros, broken, ended, stalled, closed, gone, taken };

	std::mutex mutex; // guards all below
	std::condition_variable changed;
	std::map<std::string, Kind> kind;
	std::map<std::string, std::chrono::milliseconds> delay;
	std::map<std::string, unsigned> reads;
	AesCtr random;

	void set(const std::string &name, Kind value)
	{
		const std::lock_guard lock(mutex);
		kind[name] = value;
		changed.notify_all();
	}
};

class FakeReading : public Reading, public Source {
public:
	FakeReading(std::string name, std::shared_ptr<Behaviour> behaviour)
	    : name_(std::move(name)), behaviour_(std::move(behaviour))
	{
	}
	Source &source() override { return *this; }
	Result<void> end(bool /*failed*/) override { return {}; }
	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		std::unique_lock lock(behaviour_->mutex);
		behaviour_->reads[name_]++;
		if (const auto delay = behaviour_->delay[name_]; delay.count() > 0)
			behaviour_->changed.wait_for(lock, delay, [] { return false; });
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
			return fail(ExitCode::unavailable, "somebody else reads it");
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
	          {.open = [b = behaviour](const SourceInfo &info) -> Result<std::unique_ptr<Reading>> {
		           {
			           const std::lock_guard lock(b->mutex);
			           if (b->kind[info.name] == Behaviour::closed)
				           return fail_errno(EACCES, info.name);
		           }
		           return std::make_unique<FakeReading>(info.name, b);
	           },
	           .on_step = [this](const std::string &source,
	                             const Step &step) { steps[source].push_back(step.to); },
	           .on_lost = [this](const std::string &source) { lost.push_back(source); },
	           .on_feed =
	               [this] {
		               if (feeds++ == 0)
			               first_feed_waited = !pipeline.busy();
	               },
	           .on_error = [this](const Error &error) { errors.push_back(error.message); }})
	{
		pipeline.configure(config);
	}

	void has(const std::string &name, SourceKind kind, Use use = Use::read)
	{
		decision.sources.push_back({{name, kind, "", 1024, use == Use::read}, use, "told"});
	}
	/// Runs the event loop until nobody reads any more.
	void run()
	{
		const auto until = std::chrono::steady_clock::now() + 20s;
		do {
			io.restart();
			io.run_one_until(std::min(until, std::chrono::steady_clock::now() + 50ms));
		} while (pipeline.busy() && std::chrono::steady_clock::now() < until);
		ASSERT_FALSE(pipeline.busy());
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
	uint64_t feeds = 0; // that were told
	bool first_feed_waited = true;
	std::vector<std::string> lost;
	Config config;
	Decision decision;
	Pipeline pipeline;
};

} // namespace hwrngd::test
