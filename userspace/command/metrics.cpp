// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/metrics.h"

#include "base/interrupt.h"
#include "base/write_file.h"
#include "command/command.h"
#include "health/lifecycle.h"
#include "status/ask.h"

#include <poll.h>

#include <array>
#include <future>
#include <limits>
#include <utility>

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>

namespace hwrngd {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// A counter or a gauge.
ClientMetric value(MetricType type, double number, Labels labels = {})
{
	ClientMetric metric;
	metric.label = std::move(labels);
	(type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = number;
	return metric;
}

MetricFamily family(const char *name, const char *help, MetricType type)
{
	return {.name = name, .help = help, .type = type, .metric = {}};
}

/// A family with one metric.
template <typename Number>
MetricFamily single(const char *name, const char *help, MetricType type, Number number,
                    Labels labels = {})
{
	auto made = family(name, help, type);
	made.metric.push_back(value(type, static_cast<double>(number), std::move(labels)));
	return made;
}

ClientMetric histogram(const LatencyStatus &latency, Labels labels)
{
	ClientMetric metric;
	metric.label = std::move(labels);
	metric.histogram.sample_count = latency.reads;
	metric.histogram.sample_sum = latency.sum;
	uint64_t cumulative = 0;
	for (const auto &bucket : latency.buckets) {
		cumulative += bucket.reads;
		metric.histogram.bucket.push_back({cumulative, bucket.most});
	}
	metric.histogram.bucket.push_back(
	    {metric.histogram.sample_count, std::numeric_limits<double>::infinity()});
	return metric;
}

/// A counter that each source has.
struct SourceCounter {
	uint64_t SourceStatus::*count;
	const char *name;
	const char *help;
};

constexpr std::array<SourceCounter, 6> source_counters{{
    {&SourceStatus::bytes_read, "hwrngd_source_read_bytes_total", "Bytes read from the source."},
    {&SourceStatus::bytes_fed, "hwrngd_source_fed_bytes_total",
     "Bytes that passed all tests and were mixed into the kernel's pool."},
    {&SourceStatus::bytes_drawn, "hwrngd_source_drawn_bytes_total",
     "Bytes that passed all tests and went to EGD clients, not to the kernel's pool."},
    {&SourceStatus::credited_bits, "hwrngd_source_credited_bits_total",
     "Bits of entropy that the kernel's pool was credited with."},
    {&SourceStatus::read_errors, "hwrngd_source_read_errors_total", "Reads that failed."},
    {&SourceStatus::fips_blocks, "hwrngd_source_fips_blocks_total",
     "Blocks of 2500 bytes tested by FIPS 140-2."},
}};

Labels labels_of(const SourceStatus &source)
{
	return {{"source", source.name}, {"kind", source.kind}};
}

Labels with(Labels labels, const std::string &name, const std::string &text)
{
	labels.push_back({name, text});
	return labels;
}

void add_sources(const std::vector<SourceStatus> &sources, std::vector<MetricFamily> &families)
{
	for (const auto &counter : source_counters) {
		auto made = family(counter.name, counter.help, MetricType::Counter);
		for (const auto &source : sources)
			made.metric.push_back(value(MetricType::Counter,
			                            static_cast<double>(source.*counter.count),
			                            labels_of(source)));
		families.push_back(std::move(made));
	}
	auto last_fed = family("hwrngd_source_last_fed_timestamp_seconds",
	                       "When the source last fed the pool.", MetricType::Gauge);
	auto failures = family("hwrngd_source_test_failures_total",
	                       "Failed tests: FIPS 140-2 tests of a block, or tests of the stream.",
	                       MetricType::Counter);
	auto state =
	    family("hwrngd_source_state", "1 for the state that the source is in, 0 for the others.",
	           MetricType::Gauge);
	auto latency =
	    family("hwrngd_source_read_seconds", "Duration of reads.", MetricType::Histogram);
	for (const auto &source : sources) {
		const auto labels = labels_of(source);
		if (source.last_fed)
			last_fed.metric.push_back(value(MetricType::Gauge, *source.last_fed, labels));
		for (const auto &[test, times] : source.failures)
			failures.metric.push_back(
			    value(MetricType::Counter, static_cast<double>(times), with(labels, "test", test)));
		for (const auto one : {SourceState::absent, SourceState::starting, SourceState::healthy,
		                       SourceState::suspect, SourceState::quarantined})
			state.metric.push_back(value(MetricType::Gauge, source.state == name(one) ? 1 : 0,
			                             with(labels, "state", name(one))));
		latency.metric.push_back(histogram(source.latency, labels));
	}
	families.push_back(std::move(last_fed));
	families.push_back(std::move(failures));
	families.push_back(std::move(state));
	families.push_back(std::move(latency));
}

/// Asks the daemon for its metrics. If it does not answer, or not in a form that this version
/// knows, the metrics say that it is not up, and `error` has the reason.
std::vector<MetricFamily> ask_for_families(const Root &root, std::optional<Error> &error)
{
	const auto daemon = ask_daemon(root);
	if (!daemon)
		error = daemon.error();
	return metric_families(daemon.value_or(std::nullopt));
}

/// Asks the daemon each time that a client connects.
class Collector : public prometheus::Collectable {
public:
	explicit Collector(Root root) : root_(std::move(root)) {}

	[[nodiscard]] std::vector<MetricFamily> Collect() const override
	{
		// In a thread of its own: the exposer's threads have 100 KiB of stack, too few
		// to read a configuration.
		const auto collect = [this] {
			std::optional<Error> error;
			auto families = ask_for_families(root_, error);
			if (error)
				fmt::print(stderr, "hwrngctl: {}\n", error->message);
			return families;
		};
		return std::async(std::launch::async, collect).get();
	}

private:
	Root root_;
};

Result<ExitCode> serve(const Root &root, const std::string &address)
{
	if (auto caught = catch_interrupts(); !caught)
		return std::unexpected(caught.error());
	try {
		const auto collector = std::make_shared<Collector>(root);
		prometheus::Exposer exposer(address, 1);
		exposer.RegisterCollectable(collector);
		fmt::print(
		    stderr,
		    "hwrngctl: serving hwrngd's metrics at http://{}/metrics until it is interrupted "
		    "(Ctrl-C)\n",
		    address);
		while (interrupted() == 0)
			::poll(nullptr, 0, 200); // a signal ends it
	} catch (const std::exception &error) {
		return fail(
		    ExitCode::io_error,
		    fmt::format("cannot serve metrics at {}: {}; the address must be HOST:PORT, with "
		                "a host of this machine and a free port",
		                address, error.what()));
	}
	return ExitCode::done;
}

} // namespace

std::vector<MetricFamily> metric_families(const std::optional<DaemonStatus> &daemon)
{
	std::vector<MetricFamily> families{single("hwrngd_up", "1 when hwrngd runs and answers.",
	                                          MetricType::Gauge, daemon.has_value())};
	if (!daemon)
		return families;
	families.push_back(single("hwrngd_build_info", "The version of hwrngd.", MetricType::Gauge, 1,
	                          {{"version", daemon->version}}));
	families.push_back(single("hwrngd_start_timestamp_seconds", "When the daemon started.",
	                          MetricType::Gauge, daemon->started));
	families.push_back(single("hwrngd_crng_ready", "1 when the kernel's CRNG is seeded.",
	                          MetricType::Gauge, daemon->crng_ready));
	families.push_back(single("hwrngd_feeds_total",
	                          "Times that the kernel's CRNG was reseeded with new bytes.",
	                          MetricType::Counter, daemon->feeds));
	auto last_feed = family("hwrngd_last_feed_timestamp_seconds",
	                        "When the kernel's CRNG was last reseeded.", MetricType::Gauge);
	if (daemon->last_feed)
		last_feed.metric.push_back(value(MetricType::Gauge, *daemon->last_feed));
	families.push_back(std::move(last_feed));
	families.push_back(single("hwrngd_reseed_interval_seconds", "The configured interval of feeds.",
	                          MetricType::Gauge, daemon->reseed_interval));
	families.push_back(single("hwrngd_config_error",
	                          "1 when the last reload kept the old configuration.",
	                          MetricType::Gauge, daemon->config_error.has_value()));
	if (const auto &egd = daemon->egd) {
		families.push_back(single("hwrngd_egd_clients", "EGD clients that are connected.",
		                          MetricType::Gauge, egd->clients));
		families.push_back(single("hwrngd_egd_refused_total",
		                          "EGD clients that were refused because there were too many.",
		                          MetricType::Counter, egd->refused));
		families.push_back(single("hwrngd_egd_served_bytes_total", "Bytes sent to EGD clients.",
		                          MetricType::Counter, egd->bytes_served));
		families.push_back(single("hwrngd_egd_available_bytes",
		                          "Bytes that can be sent to EGD clients at once.",
		                          MetricType::Gauge, egd->available));
	}
	add_sources(daemon->sources, families);
	return families;
}

Result<ExitCode> metrics_command(const Context &context, const MetricsOptions &options)
{
	if (options.listen)
		return serve(context.root, *options.listen);
	std::optional<Error> error;
	const auto families = ask_for_families(context.root, error);
	// A daemon that does not answer is not up, so an older file must be replaced.
	if (error && error->code != ExitCode::unavailable)
		return std::unexpected(*error);
	const auto text = prometheus::TextSerializer().Serialize(families);
	if (!options.textfile)
		fmt::print("{}", text);
	else if (auto written = write_file(*options.textfile, text); !written)
		return std::unexpected(written.error());
	if (error)
		return std::unexpected(*error);
	return ExitCode::done;
}

} // namespace hwrngd
