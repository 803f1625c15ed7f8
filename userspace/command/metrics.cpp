// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/metrics.h"

#include "base/interrupt.h"
#include "base/write_file.h"
#include "command/command.h"
#include "health/lifecycle.h"
#include "status/ask.h"

#include <poll.h>

#include <array>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>

namespace hwrngd {

namespace {

using Json = nlohmann::ordered_json;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// A metric of any type but a histogram: Prometheus' text does not tell them apart.
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

/// A family with one metric, or none where `number` is null.
MetricFamily single(const char *name, const char *help, MetricType type, const Json &number,
                    Labels labels = {})
{
	auto made = family(name, help, type);
	if (number.is_null())
		return made;
	const double count =
	    number.is_boolean() ? static_cast<double>(number.get<bool>()) : number.get<double>();
	made.metric.push_back(value(type, count, std::move(labels)));
	return made;
}

ClientMetric histogram(const Json &latency, Labels labels)
{
	ClientMetric metric;
	metric.label = std::move(labels);
	metric.histogram.sample_count = latency.at("reads").get<uint64_t>();
	metric.histogram.sample_sum = latency.at("sum").get<double>();
	uint64_t cumulative = 0;
	for (const auto &bucket : latency.at("buckets")) {
		cumulative += bucket.at("reads").get<uint64_t>();
		metric.histogram.bucket.push_back({cumulative, bucket.at("most").get<double>()});
	}
	metric.histogram.bucket.push_back(
	    {metric.histogram.sample_count, std::numeric_limits<double>::infinity()});
	return metric;
}

/// A figure of each source, by its name in the daemon's document.
struct SourceFigure {
	const char *key;
	const char *name;
	const char *help;
	MetricType type;
};

constexpr std::array<SourceFigure, 6> source_figures{{
    {"bytes_read", "hwrngd_source_read_bytes_total", "Bytes read from the source.",
     MetricType::Counter},
    {"bytes_fed", "hwrngd_source_fed_bytes_total",
     "Bytes that passed all tests and were mixed into the kernel's pool.", MetricType::Counter},
    {"credited_bits", "hwrngd_source_credited_bits_total",
     "Bits of entropy that the kernel's pool was credited with.", MetricType::Counter},
    {"read_errors", "hwrngd_source_read_errors_total", "Reads that failed.", MetricType::Counter},
    {"fips_blocks", "hwrngd_source_fips_blocks_total", "Blocks of 2500 bytes tested by FIPS 140-2.",
     MetricType::Counter},
    {"last_fed", "hwrngd_source_last_fed_timestamp_seconds", "When the source was fed from last.",
     MetricType::Gauge},
}};

Labels labels_of(const Json &source)
{
	return {{"source", source.at("name").get<std::string>()},
	        {"kind", source.at("kind").get<std::string>()}};
}

Labels with(Labels labels, const std::string &name, const std::string &text)
{
	labels.push_back({name, text});
	return labels;
}

void add_sources(const Json &sources, std::vector<MetricFamily> &families)
{
	for (const auto &figure : source_figures) {
		auto made = family(figure.name, figure.help, figure.type);
		for (const auto &source : sources)
			if (const auto &number = source.at(figure.key); !number.is_null())
				made.metric.push_back(value(figure.type, number.get<double>(), labels_of(source)));
		families.push_back(std::move(made));
	}
	auto failures = family("hwrngd_source_test_failures_total",
	                       "Failures of a test: of a block of FIPS 140-2, or of the stream.",
	                       MetricType::Counter);
	auto state =
	    family("hwrngd_source_state", "1 for the state that the source is in, 0 for the others.",
	           MetricType::Gauge);
	auto latency =
	    family("hwrngd_source_read_seconds", "How long reads took.", MetricType::Histogram);
	for (const auto &source : sources) {
		const auto labels = labels_of(source);
		for (const auto &[test, times] : source.at("failures").items())
			failures.metric.push_back(
			    value(MetricType::Counter, times.get<double>(), with(labels, "test", test)));
		for (const auto one : {SourceState::absent, SourceState::starting, SourceState::healthy,
		                       SourceState::suspect, SourceState::quarantined})
			state.metric.push_back(value(MetricType::Gauge, source.at("state") == name(one) ? 1 : 0,
			                             with(labels, "state", name(one))));
		latency.metric.push_back(histogram(source.at("latency"), labels));
	}
	families.push_back(std::move(failures));
	families.push_back(std::move(state));
	families.push_back(std::move(latency));
}

/// Asks the daemon. Where it does not answer, or not as this version knows, that it is not up; and
/// why, in `error`.
std::vector<MetricFamily> ask_for_families(const Root &root, std::optional<Error> &error)
{
	const auto daemon = ask_daemon(root);
	try {
		if (daemon)
			return metric_families(*daemon);
		error = daemon.error();
	} catch (const Json::exception &unknown) {
		error = Error{
		    ExitCode::unavailable,
		    fmt::format("hwrngd's status is not as this version knows it: {}", unknown.what())};
	}
	return metric_families(nullptr);
}

/// Asks the daemon for each client.
class Collector : public prometheus::Collectable {
public:
	explicit Collector(Root root) : root_(std::move(root)) {}

	[[nodiscard]] std::vector<MetricFamily> Collect() const override
	{
		std::optional<Error> error;
		auto families = ask_for_families(root_, error);
		if (error)
			fmt::print(stderr, "hwrngctl: {}\n", error->message);
		return families;
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
		fmt::print(stderr,
		           "hwrngctl: http://{}/metrics tells what hwrngd does, until an "
		           "interrupt (Ctrl-C)\n",
		           address);
		while (interrupted() == 0)
			::poll(nullptr, 0, 200); // a signal ends it
	} catch (const std::exception &error) {
		return fail(ExitCode::io_error,
		            fmt::format("nothing can be served at {}: {}; is the address HOST:PORT, the "
		                        "host this machine, and the port free?",
		                        address, error.what()));
	}
	return ExitCode::done;
}

} // namespace

std::vector<MetricFamily> metric_families(const Json &daemon)
{
	std::vector<MetricFamily> families{single("hwrngd_up", "1 when hwrngd runs and answers.",
	                                          MetricType::Gauge, !daemon.is_null())};
	if (daemon.is_null())
		return families;
	families.push_back(single("hwrngd_build_info", "The version of hwrngd.", MetricType::Gauge, 1,
	                          {{"version", daemon.at("version").get<std::string>()}}));
	families.push_back(single("hwrngd_start_timestamp_seconds", "When the daemon was started.",
	                          MetricType::Gauge, daemon.at("started")));
	families.push_back(single("hwrngd_crng_ready", "1 when the kernel's CRNG is seeded.",
	                          MetricType::Gauge, daemon.at("crng_ready")));
	families.push_back(single("hwrngd_feeds_total",
	                          "Times that the kernel's CRNG was reseeded with new bytes.",
	                          MetricType::Counter, daemon.at("feeds")));
	families.push_back(single("hwrngd_last_feed_timestamp_seconds",
	                          "When the kernel's CRNG was reseeded last.", MetricType::Gauge,
	                          daemon.at("last_feed")));
	families.push_back(single("hwrngd_reseed_interval_seconds", "The configured interval of feeds.",
	                          MetricType::Gauge, daemon.at("reseed_interval")));
	families.push_back(single("hwrngd_config_error",
	                          "1 when the last reload kept the old configuration.",
	                          MetricType::Gauge, !daemon.at("config_error").is_null()));
	if (const auto egd = daemon.value("egd", Json(nullptr)); egd.is_object()) {
		families.push_back(single("hwrngd_egd_clients", "EGD clients that are connected.",
		                          MetricType::Gauge, egd.at("clients")));
		families.push_back(single("hwrngd_egd_refused_total",
		                          "EGD clients that came and were too many.", MetricType::Counter,
		                          egd.at("refused")));
		families.push_back(single("hwrngd_egd_served_bytes_total",
		                          "Bytes that EGD clients were given.", MetricType::Counter,
		                          egd.at("bytes_served")));
		families.push_back(single("hwrngd_egd_available_bytes",
		                          "Bytes that EGD clients could be given at once.",
		                          MetricType::Gauge, egd.at("available")));
	}
	add_sources(daemon.at("sources"), families);
	return families;
}

Result<ExitCode> metrics_command(const Context &context, const MetricsOptions &options)
{
	if (options.listen)
		return serve(context.root, *options.listen);
	std::optional<Error> error;
	const auto families = ask_for_families(context.root, error);
	// A daemon that does not answer is not up either, whatever an older file says.
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
