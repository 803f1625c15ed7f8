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
#include "pool/clock.h"
#include "pool/harvest.h"
#include "pool/sink.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <asio/io_context.hpp>

namespace hwrngd {

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
	/// Counts a harvest; what became of its bytes is counted elsewhere.
	void note(const Harvest &harvest);

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
	std::optional<Purpose> being_read; ///< for whom, while it is
	bool feed_next = false;            ///< a feed waits for the draw that reads it
	std::optional<Time> probed;        ///< when it was probed last
};

class Pipeline {
public:
	/// What the pipeline needs of others.
	struct Hooks {
		SourceOpener open;
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
	/// As above, by another clock.
	Pipeline(asio::io_context &io, Sink &sink, Hooks hooks, Backoff backoff, Clock clock);
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
	[[nodiscard]] bool busy() const { return reads_for(Purpose::feed) || reads_for(Purpose::draw); }
	[[nodiscard]] const std::map<std::string, PipelineSource> &sources() const { return sources_; }
	[[nodiscard]] std::map<std::string, SourceState> states() const;
	/// Times that the sink was reseeded with new bytes, and when last.
	[[nodiscard]] uint64_t feeds() const { return feeds_; }
	[[nodiscard]] std::optional<Time> last_feed() const { return last_feed_; }

private:
	[[nodiscard]] bool reads_for(Purpose purpose) const;
	/// Whose thread reads it; none: that of the event loop.
	[[nodiscard]] Worker *worker_of(const SourceInfo &source);
	/// Begins to read a source for the sink, if it may be read.
	void feed_from(PipelineSource &source);
	void start(PipelineSource &source, Purpose purpose, size_t size, bool whole);

	// The jobs when a source has been read, in their order.
	void finish(Harvest &harvest);
	/// Is it much slower than it was, or than it may be?
	void check_speed(PipelineSource &source, const Harvest &harvest, Time now);
	/// Tests the bytes, and hands on those that pass. Returns the bits that the sink credited.
	[[nodiscard]] uint64_t test_and_hand_on(PipelineSource &source, Harvest &harvest, Time now);
	/// Returns whether it is of no use to read again at once.
	[[nodiscard]] bool handle_error(PipelineSource &source, const Error &error, Time now);
	/// Must it be read again at once? `credited`: the bits that the sink got of it.
	[[nodiscard]] bool wants_more(PipelineSource &source, uint64_t credited);
	/// Once all sources of a feed have been read.
	void finish_feed();
	/// Once all sources of a draw have been read.
	void finish_draw();

	/// Bits that so many bytes of it are credited with.
	[[nodiscard]] uint64_t credit_of(const PipelineSource &source, size_t bytes) const;
	/// Returns the bits that the bytes were credited with.
	[[nodiscard]] uint64_t add_to_sink(PipelineSource &source, std::span<const uint8_t> bytes);
	void reseed();
	/// Reads a source that is due for a probe, if nobody else is to be read.
	void probe_next();
	/// Tells of a step that a source made, if it did.
	void report(const PipelineSource &source, const Step *step);
	/// Reads sources again when their quarantine ends.
	void schedule_retry();
	void retry();

	Sink &sink_;
	Hooks hooks_;
	Backoff backoff_; ///< of every source
	Clock clock_;
	std::shared_ptr<Mailbox> mailbox_; ///< the readers' too
	Config config_;
	std::map<std::string, PipelineSource> sources_;          ///< none is ever removed
	std::map<std::string, std::unique_ptr<Worker>> workers_; ///< by device: all hwrngs are one
	Alarm retry_;
	Alarm reseed_deadline_;
	std::optional<Taker> taker_; ///< of the draw that is under way
	bool added_ = false;         ///< since the last reseed
	bool feeding_ = false;
	uint64_t feeds_ = 0;
	std::optional<Time> last_feed_;
};

} // namespace hwrngd
