// SPDX-License-Identifier: GPL-2.0-or-later
// A machine's sources as people look at them: what there is, beside what the daemon says of it.
#pragma once

#include "control/inventory.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace hwrngd {

struct SourceRow {
	std::string name;
	std::string kind;    ///< as hwrngd::name(SourceKind) has it
	std::string used_by; ///< "kernel", "hwrngd", "kernel+hwrngd" or "-"
	std::string health;  ///< the daemon's name for its state, or "-" where nobody tests it
	std::string why;     ///< it came to that state, by the daemon
	unsigned claim = 0;  ///< bits of entropy per 1024 bits
	// Since the daemon was started:
	std::optional<double> last_fed; ///< in seconds since 1970
	uint64_t credited_bits = 0;
	uint64_t bytes_read = 0;
	uint64_t bytes_fed = 0;
	uint64_t read_errors = 0;
	uint64_t fips_blocks = 0;
	uint64_t fips_failures = 0;
	uint64_t reads = 0;            ///< that gave bytes
	double read_seconds = 0;       ///< that these took in all
	uint64_t worst_latency_ms = 0; ///< of one read
};

/// What `inventory` has, in its order, and then what the daemon uses but cannot be seen (any more).
/// `daemon` is its status document (status/status.schema.json), or null.
[[nodiscard]] std::vector<SourceRow> source_rows(const Inventory &inventory,
                                                 const nlohmann::ordered_json &daemon);

/// "12 s", "3 min", "5 h" or "2 d" since `when`, in seconds since 1970.
[[nodiscard]] std::string ago(double when);

} // namespace hwrngd
