// SPDX-License-Identifier: GPL-2.0-or-later
// A machine's sources as the rows of a table: from the inventory, and from the daemon's status.
#pragma once

#include "control/inventory.h"
#include "status/document.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hwrngd {

struct SourceRow {
	std::string name;
	std::string kind;    ///< from hwrngd::name(SourceKind)
	std::string used_by; ///< "kernel", "hwrngd", "kernel+hwrngd" or "-"
	std::string health;  ///< the state in the daemon; else "absent", or "-" if it is not tested
	uint64_t claim = 0;  ///< bits of entropy per 1024 bits
	SourceStatus status; ///< from the daemon; the defaults if it does not use the source

	/// Does hwrngd use and test it, so that `status` has its figures?
	[[nodiscard]] bool tested() const { return used_by.ends_with("hwrngd"); }
};

/// The sources of `inventory`, in its order, then those that only the daemon knows, for example
/// because they are no longer there. `daemon` is empty if none is running or none answers.
[[nodiscard]] std::vector<SourceRow> source_rows(const Inventory &inventory,
                                                 const std::optional<DaemonStatus> &daemon);

/// "hwrngd 1 (pid 240), running for 5 h, 7 feeds, the last 3 s ago".
[[nodiscard]] std::string in_a_line(const DaemonStatus &daemon);

/// The time since `when` (in seconds since 1970): "12 s", "3 min", "5 h" or "2 d".
[[nodiscard]] std::string ago(double when);

} // namespace hwrngd
