// SPDX-License-Identifier: GPL-2.0-or-later
#include "pool/pipeline.h"

#include "base/interrupt.h"
#include "control/credit.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

constexpr size_t startup_bytes = sp800_90b::startup_samples;
// Enough for the start-up test and a block of FIPS 140-2, with some bytes left to use.
constexpr size_t probe_bytes = 4096;
// The number of bytes that one draw reads from each source.
constexpr size_t draw_bytes = 4096;
// A TPM's command may take 2 s (TCG PC Client TPM profile, long duration).
constexpr auto stutter_limit = 2000ms;
// New bytes are used after this time, however slow the other sources are.
constexpr auto reseed_limit = 250ms;
// How often a source that still has tests to pass is probed.
constexpr std::chrono::milliseconds proof_interval = 10s;

const std::string &name_of(const PipelineSource &source)
{
	return source.decision.source.name;
}

} // namespace

void LatencyHistogram::add(std::chrono::duration<double> time)
{
	const auto *const bound = std::lower_bound(bounds.begin(), bounds.end(), time.count());
	if (bound != bounds.end())
		within.at(static_cast<size_t>(bound - bounds.begin()))++;
	count++;
	sum += time.count();
}

Pipeline::Pipeline(asio::io_context &io, Sink &sink, Hooks hooks, Backoff backoff)
    : Pipeline(io, sink, std::move(hooks), backoff, steady_clock_of(io))
{
}

Pipeline::Pipeline(asio::io_context &io, Sink &sink, Hooks hooks, Backoff backoff, Clock clock)
    : sink_(sink), hooks_(std::move(hooks)), backoff_(backoff), clock_(std::move(clock)),
      mailbox_(std::make_shared<Mailbox>(io))
{
}

Pipeline::~Pipeline()
{
	mailbox_->close();
}

void Pipeline::configure(const Config &config)
{
	config_ = config;
}

void Pipeline::apply(const Decision &decision)
{
	const auto now = clock_.now();
	std::map<std::string, std::string> gone; // source -> reason
	for (const auto &[name, source] : sources_)
		gone[name] = "it is no longer there";
	for (const auto &decided : decision.sources) {
		const auto &name = decided.source.name;
		auto &source = sources_.try_emplace(name, backoff_).first->second;
		source.decision = decided;
		if (decided.use == Use::ignore) {
			gone[name] = decided.reason;
			continue;
		}
		gone.erase(name);
		report(source, source.life.appeared(now));
	}
	for (const auto &[name, why] : gone) {
		auto &source = sources_.at(name);
		report(source, source.life.vanished(why, now));
	}
	for (auto &[name, source] : sources_)
		if (source.decision.use == Use::read && source.life.state() == SourceState::starting)
			feed_from(source);
	finish_feed();
}

void Pipeline::feed()
{
	feeding_ = true;
	for (auto &[name, source] : sources_)
		if (source.decision.use == Use::read)
			feed_from(source);
	finish_feed();
}

bool Pipeline::reads_for(Purpose purpose) const
{
	return std::any_of(sources_.begin(), sources_.end(),
	                   [&](const auto &source) { return source.second.being_read == purpose; });
}

Worker *Pipeline::worker_of(const SourceInfo &source)
{
	if (source.kind == SourceKind::cpu)
		return nullptr;
	// The framework serves one reader at a time.
	auto &worker = workers_[source.kind == SourceKind::hwrng ? "/dev/hwrng" : source.name];
	if (!worker)
		worker = std::make_unique<Worker>();
	return worker.get();
}

void Pipeline::feed_from(PipelineSource &source)
{
	if (!source.life.readable() || interrupted() != 0)
		return;
	if (source.being_read) {
		source.feed_next |= source.being_read == Purpose::draw;
		return;
	}
	const bool probes = source.decision.use == Use::probe;
	size_t size = config_.feed_bytes;
	if (probes)
		size = probe_bytes;
	else if (source.life.proving())
		size = startup_bytes;
	start(source, Purpose::feed, size, probes);
}

void Pipeline::start(PipelineSource &source, Purpose purpose, size_t size, bool whole)
{
	source.being_read = purpose;
	auto harvest = std::make_shared<Harvest>(source.decision.source, purpose, size);
	auto job = [this, harvest, mailbox = mailbox_, open = hooks_.open, now = clock_.now, whole] {
		harvest->read_source(open, now, whole);
		mailbox->post([this, harvest] { finish(*harvest); });
	};
	if (auto *worker = worker_of(source.decision.source))
		worker->run(std::move(job));
	else
		job();
}

void Pipeline::draw(Taker taker)
{
	if (taker_)
		return;
	taker_ = std::move(taker);
	for (auto &[name, source] : sources_) {
		if (source.decision.use != Use::read || source.life.state() != SourceState::healthy ||
		    credit_of(source, draw_bytes) == 0 || source.being_read || !sink_.ready() ||
		    interrupted() != 0)
			continue;
		start(source, Purpose::draw, draw_bytes, false);
	}
	if (!reads_for(Purpose::draw))
		mailbox_->post([this] { finish_draw(); });
}

void Pipeline::finish_draw()
{
	if (const auto taker = std::exchange(taker_, std::nullopt))
		taker->end();
}

void Pipeline::finish(Harvest &harvest)
{
	const auto now = clock_.now();
	auto &source = sources_.at(harvest.source.name);
	source.being_read.reset();
	source.counts.note(harvest);
	if (!harvest.error)
		check_speed(source, harvest, now);
	const auto credited = test_and_hand_on(source, harvest, now);
	// Programs may be waiting for the CRNG or for this daemon.
	if (feeds_ == 0)
		reseed();
	const bool hopeless = harvest.error && handle_error(source, *harvest.error, now);
	if (wants_more(source, credited) && !hopeless)
		feed_from(source);
	if (harvest.purpose == Purpose::draw && !reads_for(Purpose::draw))
		finish_draw();
	finish_feed();
}

void SourceCounts::note(const Harvest &harvest)
{
	bytes_read += harvest.have;
	worst_latency = std::max(worst_latency, harvest.worst);
	for (const auto each : harvest.latencies)
		latency.add(each);
}

void Pipeline::check_speed(PipelineSource &source, const Harvest &harvest, Time now)
{
	if (harvest.worst > stutter_limit) {
		const std::chrono::duration<double> seconds = harvest.worst;
		report(source, source.life.stuttered(
		                   fmt::format("it took {:.1f} s to answer", seconds.count()), now));
	}
	if (!source.rate.test(harvest.have, harvest.duration))
		report(source,
		       source.life.stuttered(fmt::format("its rate fell from {:.0f} to {:.0f} bytes/s",
		                                         source.rate.before(), source.rate.now()),
		                             now));
}

uint64_t Pipeline::test_and_hand_on(PipelineSource &source, Harvest &harvest, Time now)
{
	uint64_t credited = 0;
	for (size_t at = 0; at < harvest.have; at += Harvest::piece) {
		const auto bytes = harvest.bytes().subspan(at, std::min(Harvest::piece, harvest.have - at));
		report(source, source.life.returned_bytes(bytes, now));
		if (!source.life.usable())
			continue;
		if (harvest.purpose == Purpose::feed) {
			credited += add_to_sink(source, bytes);
		} else if (taker_) {
			taker_->take(bytes, credit_of(source, bytes.size()));
			source.counts.bytes_drawn += bytes.size();
		}
	}
	return credited;
}

bool Pipeline::handle_error(PipelineSource &source, const Error &error, Time now)
{
	switch (error.code) {
	case ExitCode::interrupted: // the daemon is about to exit
	case ExitCode::unavailable: // another of our programs is using the framework
		return true;
	default:
		break;
	}
	source.counts.read_errors++;
	report(source, error.number == ETIMEDOUT ? source.life.stalled(error.message, now)
	                                         : source.life.failed_to_read(error.message, now));
	if (error.code != ExitCode::no_source)
		return false;
	hooks_.on_lost(name_of(source));
	return true;
}

bool Pipeline::wants_more(PipelineSource &source, uint64_t credited)
{
	const bool unproven = source.life.proving() || source.life.tests().fips().blocks == 0;
	const bool sink_waits = credited > 0 && !sink_.ready();
	const bool feed_waits = std::exchange(source.feed_next, false);
	return source.decision.use == Use::read && (unproven || sink_waits || feed_waits);
}

uint64_t Pipeline::credit_of(const PipelineSource &source, size_t bytes) const
{
	const auto &info = source.decision.source;
	return credited_bits(bytes, info, config_.source(info.name));
}

uint64_t Pipeline::add_to_sink(PipelineSource &source, std::span<const uint8_t> bytes)
{
	auto bits = credit_of(source, bytes.size());
	if (const auto level = sink_.level())
		bits = std::min(bits, creditable_bits(*level, config_.fill_watermark));
	if (const auto added = sink_.add(bytes, bits); !added) {
		hooks_.on_error(added.error());
		return 0;
	}
	const auto now = clock_.now();
	source.counts.bytes_fed += bytes.size();
	source.counts.credited_bits += bits;
	source.counts.last_fed = now;
	if (!added_) {
		added_ = true;
		reseed_deadline_ = clock_.call_at(now + reseed_limit, [this] { reseed(); });
	}
	return bits;
}

void Pipeline::finish_feed()
{
	if (reads_for(Purpose::feed))
		return;
	reseed();
	probe_next();
}

void Pipeline::probe_next()
{
	if (!feeding_ || config_.probe_interval.count() == 0 || !sink_.ready())
		return;
	const auto now = clock_.now();
	for (auto &[name, source] : sources_) {
		if (source.decision.use != Use::probe || !source.life.readable())
			continue;
		const auto interval = source.life.proving()
		                          ? std::min(proof_interval, config_.probe_interval)
		                          : config_.probe_interval;
		if (source.probed && now - *source.probed < interval)
			continue;
		source.probed = now;
		feed_from(source);
		return; // the next one is probed when this one has been
	}
}

void Pipeline::reseed()
{
	if (!added_)
		return;
	added_ = false;
	reseed_deadline_.reset();
	if (const auto done = sink_.reseed(); !done) {
		hooks_.on_error(done.error());
		return;
	}
	feeds_++;
	last_feed_ = clock_.now();
	hooks_.on_feed();
}

void Pipeline::report(const PipelineSource &source, const Step *step)
{
	if (step == nullptr)
		return;
	hooks_.on_step(name_of(source), *step);
	if (step->to == SourceState::quarantined || step->from == SourceState::quarantined)
		schedule_retry();
}

void Pipeline::schedule_retry()
{
	std::optional<Time> first;
	for (const auto &[name, source] : sources_)
		if (const auto at = source.life.retry_at(); at && (!first || *at < *first))
			first = at;
	retry_.reset();
	if (first)
		retry_ = clock_.call_at(*first, [this] { retry(); });
}

void Pipeline::retry()
{
	for (auto &[name, source] : sources_) {
		const auto *step = source.life.time_passed(clock_.now());
		report(source, step);
		if (step != nullptr && source.decision.use == Use::read)
			feed_from(source);
	}
	schedule_retry();
}

std::map<std::string, SourceState> Pipeline::states() const
{
	std::map<std::string, SourceState> states;
	for (const auto &[name, source] : sources_)
		states[name] = source.life.state();
	return states;
}

} // namespace hwrngd
