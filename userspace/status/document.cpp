// SPDX-License-Identifier: GPL-2.0-or-later
#include "status/document.h"

#include <concepts>
#include <type_traits>

#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using Json = nlohmann::ordered_json;
using Counts = std::vector<std::pair<std::string, uint64_t>>;

/// `T` is `Struct`, const or not.
template <typename T, typename Struct>
concept Is = std::same_as<std::remove_const_t<T>, Struct>;

// Each key of the document and its field. They are listed once, for both directions.

void for_fields(Is<StepStatus> auto &step, auto &&visit)
{
	visit("time", step.time);
	visit("from", step.from);
	visit("to", step.to);
	visit("reason", step.reason);
}

void for_fields(Is<LatencyStatus::Bucket> auto &bucket, auto &&visit)
{
	visit("most", bucket.most);
	visit("reads", bucket.reads);
}

void for_fields(Is<LatencyStatus> auto &latency, auto &&visit)
{
	visit("reads", latency.reads);
	visit("sum", latency.sum);
	visit("buckets", latency.buckets);
}

void for_fields(Is<SourceStatus> auto &source, auto &&visit)
{
	visit("name", source.name);
	visit("kind", source.kind);
	visit("driver", source.driver);
	visit("claim", source.claim);
	visit("use", source.use);
	visit("reason", source.reason);
	visit("state", source.state);
	visit("retry", source.retry);
	visit("bytes_read", source.bytes_read);
	visit("bytes_fed", source.bytes_fed);
	visit("bytes_drawn", source.bytes_drawn);
	visit("credited_bits", source.credited_bits);
	visit("last_fed", source.last_fed);
	visit("read_errors", source.read_errors);
	visit("worst_latency_ms", source.worst_latency_ms);
	visit("fips_blocks", source.fips_blocks);
	visit("fips_failures", source.fips_failures);
	visit("failures", source.failures);
	visit("latency", source.latency);
	visit("path", source.path);
}

void for_fields(Is<EgdStatus> auto &egd, auto &&visit)
{
	visit("pid", egd.pid);
	visit("clients", egd.clients);
	visit("accepted", egd.accepted);
	visit("refused", egd.refused);
	visit("bytes_served", egd.bytes_served);
	visit("bytes_mixed", egd.bytes_mixed);
	visit("available", egd.available);
}

void for_fields(Is<DaemonStatus> auto &daemon, auto &&visit)
{
	visit("schema", daemon.schema);
	visit("version", daemon.version);
	visit("pid", daemon.pid);
	visit("started", daemon.started);
	visit("crng_ready", daemon.crng_ready);
	visit("feeds", daemon.feeds);
	visit("last_feed", daemon.last_feed);
	visit("reseed_interval", daemon.reseed_interval);
	visit("rng_current", daemon.rng_current);
	visit("rng_chosen", daemon.rng_chosen);
	visit("rng_reason", daemon.rng_reason);
	visit("config_error", daemon.config_error);
	visit("egd", daemon.egd);
	visit("sources", daemon.sources);
}

template <typename T> Json write(const T &value)
{
	if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
		return value;
	} else if constexpr (requires { value.has_value(); }) {
		return value ? write(*value) : Json(nullptr);
	} else if constexpr (std::same_as<T, Counts>) {
		Json object = Json::object();
		for (const auto &[name, count] : value)
			object[name] = count;
		return object;
	} else if constexpr (requires { value.begin(); }) {
		Json array = Json::array();
		for (const auto &element : value)
			array.push_back(write(element));
		return array;
	} else {
		Json object = Json::object();
		for_fields(value, [&](const char *key, const auto &field) { object[key] = write(field); });
		return object;
	}
}

bool read(const Json &json, bool &value)
{
	if (!json.is_boolean())
		return false;
	value = json.get<bool>();
	return true;
}

bool read(const Json &json, double &value)
{
	if (!json.is_number())
		return false;
	value = json.get<double>();
	return true;
}

bool read(const Json &json, uint64_t &value)
{
	if (!json.is_number_unsigned())
		return false;
	value = json.get<uint64_t>();
	return true;
}

bool read(const Json &json, std::string &value)
{
	if (!json.is_string())
		return false;
	value = json.get<std::string>();
	return true;
}

bool read(const Json &json, Counts &value)
{
	if (!json.is_object())
		return false;
	for (const auto &[name, count] : json.items())
		if (uint64_t number = 0; read(count, number))
			value.emplace_back(name, number);
	return true;
}

/// Returns false and leaves `value` unchanged if `json` has another type. Elements of an array that
/// have another type are left out.
template <typename T> bool read(const Json &json, T &value)
{
	if constexpr (requires { value.has_value(); }) {
		typename T::value_type content{};
		if (!read(json, content))
			return false;
		value = std::move(content);
	} else if constexpr (requires { value.begin(); }) {
		if (!json.is_array())
			return false;
		for (const auto &element : json)
			if (typename T::value_type content{}; read(element, content))
				value.push_back(std::move(content));
	} else {
		if (!json.is_object())
			return false;
		for_fields(value, [&](const char *key, auto &field) {
			if (const auto found = json.find(key); found != json.end())
				(void)read(*found, field); // if the type is wrong, the default stays
		});
	}
	return true;
}

} // namespace

Json to_json(const DaemonStatus &status)
{
	return write(status);
}

std::optional<DaemonStatus> status_from_json(const Json &document)
{
	DaemonStatus status;
	if (!read(document, status) || status.schema != status_schema)
		return std::nullopt;
	return status;
}

} // namespace hwrngd
