// SPDX-License-Identifier: GPL-2.0-or-later
// The way of the bytes: source, health tests, credit, sink. Blocking sources are read in worker
// threads; everything else happens in the thread of the event loop.
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

/// How long reads took: the number of reads for each upper bound, for Prometheus.
struct LatencyHistogram {
	static constexpr std::array<double, 8> bounds{1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 2, 10}; ///< s

	void add(std::chrono::duration<double> time);

	std::array<uint64_t, bounds.size()> within{}; ///< reads up to this bound, above the last one
	uint64_t count = 0;
	double sum = 0; ///< s
};

/// Statistics of a source since the daemon started.
struct SourceCounts {
	/// Counts a harvest, but not the use of its bytes.
	void note(const Harvest &harvest);

	uint64_t bytes_read = 0;
	uint64_t bytes_fed = 0;
	uint64_t bytes_drawn = 0; ///< given to takers, not to the sink
	uint64_t credited_bits = 0;
	uint64_t read_errors = 0;
	std::chrono::milliseconds worst_latency{0}; ///< of one read
	LatencyHistogram latency;
	std::optional<Time> last_fed;
};

/// A source with the pipeline's data about it.
struct PipelineSource {
	explicit PipelineSource(const Backoff &backoff) : life(backoff) {}

	SourceDecision decision;
	Lifecycle life;
	SourceCounts counts;
	RateTest rate;
	std::optional<Purpose> being_read; ///< the purpose of the current read, if there is one
	bool feed_next = false;            ///< a feed waits until the current draw has ended
	std::optional<Time> probed;        ///< time of the last probe
};

class Pipeline {
public:
	/// The functions that the pipeline calls.
	struct Hooks {
		SourceOpener open;
		/// A source changed its state. None of these functions may change the pipeline.
		std::function<void(const std::string &source, const Step &step)> on_step;
		/// A source did not exist when it was read.
		std::function<void(const std::string &source)> on_lost;
		/// Bytes were added to the sink, and it was told to use them.
		std::function<void()> on_feed;
		/// The sink returned an error.
		std::function<void(const Error &error)> on_error;
	};

	Pipeline(asio::io_context &io, Sink &sink, Hooks hooks, Backoff backoff = {});
	/// As above, with another clock.
	Pipeline(asio::io_context &io, Sink &sink, Hooks hooks, Backoff backoff, Clock clock);
	Pipeline(const Pipeline &) = delete;
	Pipeline &operator=(const Pipeline &) = delete;
	/// Threads that are still reading are left behind.
	~Pipeline();

	/// Uses this configuration from now on.
	void configure(const Config &config);

	/// Uses these sources from now on, as decided. New ones are read immediately.
	void apply(const Decision &decision);

	/// Feeds once from every source that may be read.
	void feed();

	/// A receiver of bytes other than the sink. Its functions must not call back.
	struct Taker {
		/// Gets bytes that have passed the tests, and their credit in bits.
		std::function<void(std::span<const uint8_t> bytes, uint64_t bits)> take;
		/// Called when this draw has no more bytes.
		std::function<void()> end;
	};

	/// Reads once from every healthy source that gets any credit. The bytes go to `taker` only, not
	/// to the sink. Reads nothing until the sink is ready. Ignored while another draw is running.
	void draw(Taker taker);

	/// True while any source is being read.
	[[nodiscard]] bool busy() const { return reads_for(Purpose::feed) || reads_for(Purpose::draw); }
	[[nodiscard]] const std::map<std::string, PipelineSource> &sources() const { return sources_; }
	[[nodiscard]] std::map<std::string, SourceState> states() const;
	/// The number of reseeds of the sink with new bytes, and the time of the last one.
	[[nodiscard]] uint64_t feeds() const { return feeds_; }
	[[nodiscard]] std::optional<Time> last_feed() const { return last_feed_; }

private:
	[[nodiscard]] bool reads_for(Purpose purpose) const;
	/// The thread that reads this source, or nullptr for the event loop's thread.
	[[nodiscard]] Worker *worker_of(const SourceInfo &source);
	/// Starts to read a source for the sink, if it may be read.
	void feed_from(PipelineSource &source);
	void start(PipelineSource &source, Purpose purpose, size_t size, bool whole);

	// The jobs after a source has been read, in this order.
	void finish(Harvest &harvest);
	/// Reports a source that is much slower than before, or slower than allowed.
	void check_speed(PipelineSource &source, const Harvest &harvest, Time now);
	/// Tests the bytes, and passes good ones on. Returns the bits that were credited in the sink.
	[[nodiscard]] uint64_t test_and_hand_on(PipelineSource &source, Harvest &harvest, Time now);
	/// Returns true if an immediate retry would be useless.
	[[nodiscard]] bool handle_error(PipelineSource &source, const Error &error, Time now);
	/// True if it must be read again immediately. `credited`: the credit of its last bytes.
	[[nodiscard]] bool wants_more(PipelineSource &source, uint64_t credited);
	/// Reseeds and probes, if all sources of the feed have been read.
	void finish_feed();
	/// Ends the draw.
	void finish_draw();

	/// The credit, in bits, of this number of bytes from the source.
	[[nodiscard]] uint64_t credit_of(const PipelineSource &source, size_t bytes) const;
	/// Returns the credit of the bytes, in bits.
	[[nodiscard]] uint64_t add_to_sink(PipelineSource &source, std::span<const uint8_t> bytes);
	void reseed();
	/// Probes a source that is due for a probe, if the sink does not need bytes now.
	void probe_next();
	/// Reports a change of state, if there was one.
	void report(const PipelineSource &source, const Step *step);
	/// Reads sources again when their quarantine ends.
	void schedule_retry();
	void retry();

	Sink &sink_;
	Hooks hooks_;
	Backoff backoff_; ///< for every source
	Clock clock_;
	std::shared_ptr<Mailbox> mailbox_; ///< shared with the threads that read
	Config config_;
	std::map<std::string, PipelineSource> sources_;          ///< never shrinks
	std::map<std::string, std::unique_ptr<Worker>> workers_; ///< by device: all hwrngs share one
	Alarm retry_;
	Alarm reseed_deadline_;
	std::optional<Taker> taker_; ///< of the current draw
	bool added_ = false;         ///< bytes were added since the last reseed
	bool feeding_ = false;
	uint64_t feeds_ = 0;
	std::optional<Time> last_feed_;
};

} // namespace hwrngd
