// SPDX-License-Identifier: GPL-2.0-or-later
#include "pool/pipeline.h"

#include "base/interrupt.h"
#include "base/secret_buffer.h"
#include "control/credit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

// A piece is tested and credited as a whole, so it is small beside the start-up test.
constexpr size_t piece = 512;
constexpr size_t startup_bytes = sp800_90b::startup_samples;
// In one go: the start-up test, a block of FIPS 140-2, and some that count.
constexpr size_t probe_bytes = 4096;
// For who draws, in one go.
constexpr size_t draw_bytes = 4096;
// What a slow source has given by then is used; more is asked for afterwards.
constexpr auto patience = 250ms;
// A TPM's command may take 2 s (TCG PC Client TPM profile, long duration).
constexpr auto stutter_limit = 2000ms;
// New bytes count after this time, however slow the other sources are.
constexpr auto reseed_limit = 250ms;
// A probed source that has to prove itself is probed so often.
constexpr std::chrono::milliseconds proof_interval = 10s;

} // namespace

/// What one access to a source brought.
struct Pipeline::Harvest {
	Harvest(SourceInfo from, size_t size) : source(std::move(from)), buffer(size) {}

	/// Reads until the buffer is full or patience ends.
	void gather(const decltype(Hooks::open) &open, bool patient)
	{
		auto reading = open(source);
		if (!reading) {
			error = reading.error();
			return;
		}
		const auto begin = std::chrono::steady_clock::now();
		while (have < buffer.span().size()) {
			const auto before = std::chrono::steady_clock::now();
			if (have > 0 && !patient && before - begin >= patience)
				break;
			const auto rest = buffer.span().subspan(have);
			const auto n =
			    (*reading)->source().read(rest.first(std::min(rest.size(), piece)), stall_limit);
			const auto latency = std::chrono::steady_clock::now() - before;
			latencies.emplace_back(latency);
			worst = std::max(worst, std::chrono::duration_cast<std::chrono::milliseconds>(latency));
			if (!n)
				error = n.error();
			else if (*n == 0)
				error = Error{ExitCode::io_error, fmt::format("{}: it ended", source.name)};
			if (error)
				break;
			have += *n;
		}
		took = std::chrono::steady_clock::now() - begin;
		if (auto ended = (*reading)->end(error.has_value()); !ended && !error)
			error = ended.error();
	}

	SourceInfo source;
	bool drawn = false; ///< for the taker, and not for the sink
	SecretBuffer buffer;
	size_t have = 0; ///< bytes in `buffer`
	std::optional<Error> error;
	std::chrono::milliseconds worst{0}; ///< latency of a read
	std::vector<std::chrono::duration<double>> latencies;
	std::chrono::duration<double> took{0};
};

void LatencyHistogram::add(std::chrono::duration<double> time)
{
	const auto *const bound = std::lower_bound(bounds.begin(), bounds.end(), time.count());
	if (bound != bounds.end())
		within.at(static_cast<size_t>(bound - bounds.begin()))++;
	count++;
	sum += time.count();
}

Pipeline::Pipeline(asio::io_context &io, Sink &sink, Hooks hooks, Backoff backoff)
    : sink_(sink), hooks_(std::move(hooks)), backoff_(backoff),
      mailbox_(std::make_shared<Mailbox>(io)), retry_(io), reseed_deadline_(io)
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
	const auto now = std::chrono::steady_clock::now();
	std::map<std::string, std::string> gone; // and why
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
		note(name, source.life.appeared(now));
	}
	for (const auto &[name, why] : gone)
		note(name, sources_.at(name).life.vanished(why, now));
	for (const auto &[name, source] : sources_)
		if (source.decision.use == Use::read && source.life.state() == SourceState::starting)
			ask(name);
	settle();
}

void Pipeline::feed()
{
	feeding_ = true;
	for (const auto &[name, source] : sources_)
		if (source.decision.use == Use::read)
			ask(name);
	settle();
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

void Pipeline::ask(const std::string &name)
{
	const auto found = sources_.find(name);
	if (found == sources_.end() || !found->second.life.readable() || interrupted() != 0)
		return;
	if (asked_[name]) {
		if (drawing_.contains(name))
			ask_next_.insert(name);
		return;
	}
	const auto &source = found->second;
	const bool probes = source.decision.use == Use::probe;
	size_t size = config_.feed_bytes;
	if (probes)
		size = probe_bytes;
	else if (source.life.proving())
		size = startup_bytes;
	harvests_++;
	start(std::make_shared<Harvest>(source.decision.source, size), probes);
}

void Pipeline::start(const std::shared_ptr<Harvest> &harvest, bool patient)
{
	asked_[harvest->source.name] = true;
	auto job = [this, harvest, mailbox = mailbox_, open = hooks_.open, patient] {
		harvest->gather(open, patient);
		mailbox->post([this, harvest] { took(harvest); });
	};
	if (auto *worker = worker_of(harvest->source))
		worker->run(std::move(job));
	else
		job();
}

void Pipeline::draw(Taker taker)
{
	if (taker_)
		return;
	taker_ = std::move(taker);
	for (const auto &[name, source] : sources_) {
		if (source.decision.use != Use::read || source.life.state() != SourceState::healthy ||
		    worth(source, draw_bytes) == 0 || asked_[name] || !sink_.ready() || interrupted() != 0)
			continue;
		drawing_.insert(name);
		auto harvest = std::make_shared<Harvest>(source.decision.source, draw_bytes);
		harvest->drawn = true;
		start(harvest, false);
	}
	if (drawing_.empty())
		mailbox_->post([this] { end_draw(); });
}

void Pipeline::end_draw()
{
	const auto taker = std::exchange(taker_, std::nullopt);
	if (taker)
		taker->end();
}

void Pipeline::took(const std::shared_ptr<Harvest> &harvest)
{
	const auto &name = harvest->source.name;
	const auto now = std::chrono::steady_clock::now();
	if (harvest->drawn)
		drawing_.erase(name);
	else
		harvests_--;
	asked_[name] = false;
	const auto found = sources_.find(name);
	uint64_t credited = 0;
	if (found != sources_.end()) {
		auto &source = found->second;
		source.counts.bytes_read += harvest->have;
		source.counts.worst_latency = std::max(source.counts.worst_latency, harvest->worst);
		for (const auto latency : harvest->latencies)
			source.counts.latency.add(latency);
		if (harvest->worst > stutter_limit && !harvest->error)
			note(name, source.life.stuttered(
			               fmt::format("it took {:.1f} s to answer",
			                           std::chrono::duration<double>(harvest->worst).count()),
			               now));
		if (!harvest->error && !source.rate.test(harvest->have, harvest->took))
			note(name, source.life.stuttered(fmt::format("it gives {:.0f} bytes/s, and gave {:.0f}",
			                                             source.rate.now(), source.rate.before()),
			                                 now));
		for (size_t at = 0; at < harvest->have; at += piece) {
			const auto bytes =
			    harvest->buffer.span().subspan(at, std::min(piece, harvest->have - at));
			note(name, source.life.gave(bytes, now));
			if (!source.life.usable())
				continue;
			if (!harvest->drawn) {
				credited += use(source, bytes);
			} else if (taker_) {
				taker_->take(bytes, worth(source, bytes.size()));
				source.counts.bytes_drawn += bytes.size();
			}
		}
		// Somebody may wait for the CRNG, or for this daemon.
		if (feeds_ == 0)
			reseed();
		const auto &error = harvest->error;
		const bool lost = error && took_error(name, source, *error, now);
		const bool wanted = source.life.proving() || source.life.tests().fips().blocks == 0 ||
		                    (credited > 0 && !sink_.ready());
		const bool waits = ask_next_.erase(name) > 0;
		if (source.decision.use == Use::read && (wanted || waits) && !lost)
			ask(name);
	}
	if (harvest->drawn && drawing_.empty())
		end_draw();
	settle();
}

bool Pipeline::took_error(const std::string &name, PipelineSource &source, const Error &error,
                          Time now)
{
	switch (error.code) {
	case ExitCode::interrupted: // we are about to end
	case ExitCode::unavailable: // another program of ours has the framework
		return true;
	default:
		break;
	}
	source.counts.read_errors++;
	note(name, error.number == ETIMEDOUT ? source.life.stalled(error.message, now)
	                                     : source.life.failed_to_read(error.message, now));
	if (error.code != ExitCode::no_source)
		return false;
	hooks_.on_lost(name);
	return true;
}

uint64_t Pipeline::worth(const PipelineSource &source, size_t bytes) const
{
	const auto &info = source.decision.source;
	const auto said = config_.source(info.name);
	return credited_bits(bytes, info.claim, said.assessed.value_or(full_quality), said.credit);
}

uint64_t Pipeline::use(PipelineSource &source, std::span<const uint8_t> bytes)
{
	auto bits = worth(source, bytes.size());
	if (const auto level = sink_.level())
		bits = std::min(bits, creditable_bits(*level, config_.fill_watermark));
	if (const auto added = sink_.add(bytes, bits); !added) {
		hooks_.on_error(added.error());
		return 0;
	}
	source.counts.bytes_fed += bytes.size();
	source.counts.credited_bits += bits;
	source.counts.last_fed = std::chrono::steady_clock::now();
	if (!added_) {
		added_ = true;
		reseed_deadline_.expires_after(reseed_limit);
		reseed_deadline_.async_wait([this](const asio::error_code &error) {
			if (!error)
				reseed();
		});
	}
	return bits;
}

void Pipeline::settle()
{
	if (harvests_ > 0)
		return;
	reseed();
	probe();
}

void Pipeline::probe()
{
	if (!feeding_ || config_.probe_interval.count() == 0 || !sink_.ready())
		return;
	const auto now = std::chrono::steady_clock::now();
	for (const auto &[name, source] : sources_) {
		if (source.decision.use != Use::probe || !source.life.readable())
			continue;
		const auto last = probed_.find(name);
		const auto interval = source.life.proving()
		                          ? std::min(proof_interval, config_.probe_interval)
		                          : config_.probe_interval;
		if (last != probed_.end() && now - last->second < interval)
			continue;
		probed_[name] = now;
		ask(name);
		return; // the next one afterwards
	}
}

void Pipeline::reseed()
{
	if (!added_)
		return;
	added_ = false;
	reseed_deadline_.cancel();
	if (const auto done = sink_.reseed(); !done)
		hooks_.on_error(done.error());
	feeds_++;
	last_feed_ = std::chrono::steady_clock::now();
	hooks_.on_feed();
}

void Pipeline::note(const std::string &name, const Step *step)
{
	if (step == nullptr)
		return;
	hooks_.on_step(name, *step);
	if (step->to == SourceState::quarantined || step->from == SourceState::quarantined)
		arm_retry();
}

void Pipeline::arm_retry()
{
	std::optional<Time> first;
	for (const auto &[name, source] : sources_)
		if (const auto at = source.life.retry_at(); at && (!first || *at < *first))
			first = at;
	retry_.cancel();
	if (!first)
		return;
	retry_.expires_at(*first);
	retry_.async_wait([this](const asio::error_code &error) {
		if (error)
			return;
		for (auto &[name, source] : sources_) {
			const auto *step = source.life.waited(std::chrono::steady_clock::now());
			note(name, step);
			if (step != nullptr && source.decision.use == Use::read)
				ask(name);
		}
		arm_retry();
	});
}

std::map<std::string, SourceState> Pipeline::states() const
{
	std::map<std::string, SourceState> states;
	for (const auto &[name, source] : sources_)
		states[name] = source.life.state();
	return states;
}

} // namespace hwrngd
