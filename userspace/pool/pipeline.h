// SPDX-License-Identifier: GPL-2.0-or-later
// The way of the bytes: source, health, credit, sink. Whoever can keep one waiting is read in a
// thread; all else happens in that of the event loop.
#pragma once

#include "base/mailbox.h"
#include "base/worker.h"
#include "control/config.h"
#include "control/policy.h"
#include "health/lifecycle.h"
#include "health/rate_test.h"
#include "pool/sink.h"
#include "source/source.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

namespace hwrngd {

/// Access to a source, for one harvest.
class Reading {
public:
	Reading() = default;
	Reading(const Reading &) = delete;
	Reading &operator=(const Reading &) = delete;
	virtual ~Reading() = default;

	[[nodiscard]] virtual Source &source() = 0;
	/// Puts back what was changed for it. A source that `failed` is not read again.
	[[nodiscard]] virtual Result<void> end(bool failed) = 0;
};

/// How long reads took: how many within each bound, as Prometheus counts.
struct LatencyHistogram {
	static constexpr std::array<double, 8> bounds{1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 2, 10}; ///< s

	void add(std::chrono::duration<double> time);

	std::array<uint64_t, bounds.size()> within{}; ///< that bound and no earlier one
	uint64_t count = 0;
	double sum = 0; ///< s
};

/// What a source has done since the daemon began.
struct SourceCounts {
	uint64_t bytes_read = 0;
	uint64_t bytes_fed = 0;
	uint64_t bytes_drawn = 0; ///< for others than the sink
	uint64_t credited_bits = 0;
	uint64_t read_errors = 0;
	std::chrono::milliseconds worst_latency{0}; ///< of one read
	LatencyHistogram latency;
	std::optional<Time> last_fed;
};

/// A source as the pipeline has it.
struct PipelineSource {
	explicit PipelineSource(const Backoff &backoff) : life(backoff) {}

	SourceDecision decision;
	Lifecycle life;
	SourceCounts counts;
	RateTest rate;
};

class Pipeline {
public:
	/// What the pipeline needs of others. `open` is called in the thread that reads, and must own
	/// what it touches: the thread may outlive the pipeline.
	struct Hooks {
		std::function<Result<std::unique_ptr<Reading>>(const SourceInfo &)> open;
		/// A source changed its state. Must not call back.
		std::function<void(const std::string &source, const Step &step)> on_step;
		/// A source was not there when it was read. Must not call back.
		std::function<void(const std::string &source)> on_lost;
		/// The sink was reseeded with new bytes. Must not call back.
		std::function<void()> on_feed;
		/// The sink refused.
		std::function<void(const Error &error)> on_error;
	};

	Pipeline(asio::io_context &io, Sink &sink, Hooks hooks, Backoff backoff = {});
	Pipeline(const Pipeline &) = delete;
	Pipeline &operator=(const Pipeline &) = delete;
	/// Leaves behind whoever still reads.
	~Pipeline();

	/// From now on by this configuration.
	void configure(const Config &config);

	/// From now on these sources, used as decided. What is new is read at once.
	void apply(const Decision &decision);

	/// Feeds once from every source that may be read.
	void feed();

	/// Somebody other than the sink who needs bytes. Neither may call back.
	struct Taker {
		/// Bytes that have passed the tests, and the bits that they are worth.
		std::function<void(std::span<const uint8_t> bytes, uint64_t bits)> take;
		/// There are no more this time.
		std::function<void()> end;
	};

	/// Reads once from every healthy source that is credited with anything, for `taker`; the sink
	/// is given nothing of it, and comes first while it is not ready. One at a time.
	void draw(Taker taker);

	/// Is somebody reading?
	[[nodiscard]] bool busy() const { return harvests_ > 0 || !drawing_.empty(); }
	[[nodiscard]] const std::map<std::string, PipelineSource> &sources() const { return sources_; }
	[[nodiscard]] std::map<std::string, SourceState> states() const;
	/// Times that the sink was reseeded with new bytes, and when last.
	[[nodiscard]] uint64_t feeds() const { return feeds_; }
	[[nodiscard]] std::optional<Time> last_feed() const { return last_feed_; }

private:
	struct Harvest;

	/// Whose thread reads it; none: that of the event loop.
	[[nodiscard]] Worker *worker_of(const SourceInfo &source);
	void ask(const std::string &name);
	void start(const std::shared_ptr<Harvest> &harvest, bool patient);
	/// Bits that so many bytes of it are credited with.
	[[nodiscard]] uint64_t worth(const PipelineSource &source, size_t bytes) const;
	void took(const std::shared_ptr<Harvest> &harvest);
	/// Returns whether it is of no use to ask again at once.
	[[nodiscard]] bool took_error(const std::string &name, PipelineSource &source,
	                              const Error &error, Time now);
	/// Returns the bits that the bytes were credited with.
	[[nodiscard]] uint64_t use(PipelineSource &source, std::span<const uint8_t> bytes);
	void settle();
	void end_draw();
	void probe();
	void reseed();
	void note(const std::string &name, const Step *step);
	void arm_retry();

	Sink &sink_;
	Hooks hooks_;
	Backoff backoff_;                  ///< of every source
	std::shared_ptr<Mailbox> mailbox_; ///< the readers' too
	Config config_;
	std::map<std::string, PipelineSource> sources_;
	std::map<std::string, std::unique_ptr<Worker>> workers_; ///< by device: all hwrngs are one
	std::map<std::string, Time> probed_;
	std::map<std::string, bool> asked_;
	asio::steady_timer retry_;
	asio::steady_timer reseed_deadline_;
	std::optional<Taker> taker_;     ///< of the draw that is under way
	std::set<std::string> drawing_;  ///< sources that it waits for
	std::set<std::string> ask_next_; ///< those of them to feed from afterwards
	unsigned harvests_ = 0;          ///< under way, for the sink
	bool added_ = false;             ///< since the last reseed
	bool feeding_ = false;
	uint64_t feeds_ = 0;
	std::optional<Time> last_feed_;
};

} // namespace hwrngd
