// SPDX-License-Identifier: GPL-2.0-or-later
// The status document, which the daemon sends at its socket, as structs, and their conversion to
// JSON and back. status.schema.json describes the document for other programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace hwrngd {

/// The version of the document's schema. It is increased if a field changes its meaning or is
/// removed, but not if fields are added.
inline constexpr uint64_t status_schema = 1;

// A reader uses the defaults below for keys that are missing or have a wrong type. Times are
// seconds since 1970.

/// A change of a source's state.
struct StepStatus {
	double time = 0;
	std::string from = "?";
	std::string to = "?";
	std::string reason;

	bool operator==(const StepStatus &) const = default;
};

/// How long reads took. A read counts in the first bucket that it fits; very slow ones in none.
struct LatencyStatus {
	struct Bucket {
		double most = 0; ///< s
		uint64_t reads = 0;

		bool operator==(const Bucket &) const = default;
	};

	uint64_t reads = 0; ///< including those that failed
	double sum = 0;     ///< seconds in all
	std::vector<Bucket> buckets;

	bool operator==(const LatencyStatus &) const = default;
};

/// A source that the daemon knows. Counts start when the daemon starts.
struct SourceStatus {
	std::string name = "?";
	std::string kind = "?"; ///< from name(SourceKind)
	std::string driver;
	uint64_t claim = 0;          ///< bits of entropy per 1024 bits
	std::string use = "ignore";  ///< from name(Use)
	std::string reason;          ///< for the use
	std::string state = "?";     ///< from name(SourceState)
	std::optional<double> retry; ///< when a quarantine ends
	uint64_t bytes_read = 0;
	uint64_t bytes_fed = 0;
	uint64_t bytes_drawn = 0; ///< given to EGD clients, and not to the kernel
	uint64_t credited_bits = 0;
	std::optional<double> last_fed;
	uint64_t read_errors = 0;
	uint64_t worst_latency_ms = 0; ///< the slowest read
	uint64_t fips_blocks = 0;
	uint64_t fips_failures = 0;                             ///< blocks that failed
	std::vector<std::pair<std::string, uint64_t>> failures; ///< the number of failures of each test
	LatencyStatus latency;
	std::vector<StepStatus> path; ///< the last changes of its state, the newest last

	[[nodiscard]] bool used() const { return use != "ignore"; }
	/// The reason for its state, or an empty text.
	[[nodiscard]] std::string why() const { return path.empty() ? "" : path.back().reason; }
	bool operator==(const SourceStatus &) const = default;
};

/// The server of EGD clients. Counts start when the server starts.
struct EgdStatus {
	uint64_t pid = 0;
	uint64_t clients = 0;  ///< that are connected now
	uint64_t accepted = 0; ///< clients in all
	uint64_t refused = 0;  ///< clients that were turned away
	uint64_t bytes_served = 0;
	uint64_t bytes_mixed = 0; ///< written by clients; they get no credit
	uint64_t available = 0;   ///< bytes that can be served immediately

	bool operator==(const EgdStatus &) const = default;
};

/// The daemon.
struct DaemonStatus {
	uint64_t schema = status_schema;
	std::string version = "?";
	uint64_t pid = 0;
	double started = 0;
	bool crng_ready = false;
	uint64_t feeds = 0; ///< number of reseeds of the pool with new bytes
	std::optional<double> last_feed;
	double reseed_interval = 0;              ///< s
	std::optional<std::string> rng_current;  ///< the hwrng that the kernel uses
	std::optional<std::string> rng_chosen;   ///< the hwrng that the daemon selected last
	std::string rng_reason;                  ///< why it wants to select another, or keeps this one
	std::optional<std::string> config_error; ///< why the last reload kept the old configuration
	std::optional<EgdStatus> egd;            ///< none: there is no server
	std::vector<SourceStatus> sources;

	bool operator==(const DaemonStatus &) const = default;
};

/// The document, its keys in the order of the structs.
[[nodiscard]] nlohmann::ordered_json to_json(const DaemonStatus &status);

/// Reads any document: if a key is missing or has a wrong type, the default stays. Unknown keys are
/// ignored. Returns nothing if it is not a JSON object, or has another version of the schema.
[[nodiscard]] std::optional<DaemonStatus> status_from_json(const nlohmann::ordered_json &document);

} // namespace hwrngd
