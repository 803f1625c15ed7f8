// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon says of itself and of its sources: the document that its status socket gives,
// as structs, to JSON and back. status.schema.json describes the same for other programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace hwrngd {

/// The number of the document's schema. It grows when a field changes its meaning or goes; new
/// fields may come without.
inline constexpr uint64_t status_schema = 1;

// The defaults below are what a reader takes for a key that is missing or of a wrong type. Times
// are seconds since 1970.

/// A change of a source's state.
struct StepStatus {
	double time = 0;
	std::string from = "?";
	std::string to = "?";
	std::string reason;

	bool operator==(const StepStatus &) const = default;
};

/// How long reads took. A read is in the first bucket that it fits, slower ones are in none.
struct LatencyStatus {
	struct Bucket {
		double most = 0; ///< s
		uint64_t reads = 0;

		bool operator==(const Bucket &) const = default;
	};

	uint64_t reads = 0; ///< that gave bytes
	double sum = 0;     ///< s
	std::vector<Bucket> buckets;

	bool operator==(const LatencyStatus &) const = default;
};

/// A source that the daemon knows; counts are since the daemon was started.
struct SourceStatus {
	std::string name = "?";
	std::string kind = "?"; ///< as name(SourceKind) has it
	std::string driver;
	uint64_t claim = 0;          ///< bits of entropy per 1024 bits
	std::string use = "ignore";  ///< as name(Use) has it
	std::string reason;          ///< of the use
	std::string state = "?";     ///< as name(SourceState) has it
	std::optional<double> retry; ///< when a quarantine ends
	uint64_t bytes_read = 0;
	uint64_t bytes_fed = 0;
	uint64_t bytes_drawn = 0; ///< that went to EGD clients, and not to the kernel
	uint64_t credited_bits = 0;
	std::optional<double> last_fed;
	uint64_t read_errors = 0;
	uint64_t worst_latency_ms = 0; ///< of one read
	uint64_t fips_blocks = 0;
	uint64_t fips_failures = 0;                             ///< blocks that failed
	std::vector<std::pair<std::string, uint64_t>> failures; ///< how often each test has failed
	LatencyStatus latency;
	std::vector<StepStatus> path; ///< the last changes of its state, the newest last

	[[nodiscard]] bool used() const { return use != "ignore"; }
	/// Why it is in its state, or nothing.
	[[nodiscard]] std::string why() const { return path.empty() ? "" : path.back().reason; }
	bool operator==(const SourceStatus &) const = default;
};

/// The server of EGD clients; counts are since that was started.
struct EgdStatus {
	uint64_t pid = 0;
	uint64_t clients = 0;  ///< that are connected now
	uint64_t accepted = 0; ///< clients in all
	uint64_t refused = 0;  ///< clients, since there were too many
	uint64_t bytes_served = 0;
	uint64_t bytes_mixed = 0; ///< that clients wrote, credited with nothing
	uint64_t available = 0;   ///< bytes that could be served at once

	bool operator==(const EgdStatus &) const = default;
};

/// The daemon.
struct DaemonStatus {
	uint64_t schema = status_schema;
	std::string version = "?";
	uint64_t pid = 0;
	double started = 0;
	bool crng_ready = false;
	uint64_t feeds = 0; ///< times that the pool was reseeded with new bytes
	std::optional<double> last_feed;
	double reseed_interval = 0;              ///< s
	std::optional<std::string> rng_current;  ///< the hwrng that the kernel uses
	std::optional<std::string> rng_chosen;   ///< the hwrng that the daemon selected last
	std::string rng_reason;                  ///< why it would select another, or leaves it
	std::optional<std::string> config_error; ///< why the last reload kept the old configuration
	std::optional<EgdStatus> egd;            ///< none: nobody is served
	std::vector<SourceStatus> sources;

	bool operator==(const DaemonStatus &) const = default;
};

/// The document, its keys in the order of the structs.
[[nodiscard]] nlohmann::ordered_json to_json(const DaemonStatus &status);

/// Whatever a document holds: a key that is missing or of a wrong type leaves the default, and an
/// unknown one is passed over. Nothing for what is no JSON object, or has another schema's number.
[[nodiscard]] std::optional<DaemonStatus> status_from_json(const nlohmann::ordered_json &document);

} // namespace hwrngd
