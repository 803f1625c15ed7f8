// SPDX-License-Identifier: GPL-2.0-or-later
// A machine's sources as people look at them: what there is, beside what the daemon says of it.
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
	std::string kind;    ///< as hwrngd::name(SourceKind) has it
	std::string used_by; ///< "kernel", "hwrngd", "kernel+hwrngd" or "-"
	std::string health;  ///< the daemon's name for its state, or "-" where nobody tests it
	uint64_t claim = 0;  ///< bits of entropy per 1024 bits
	SourceStatus status; ///< what the daemon says of it; the defaults where it does not use it
};

/// What `inventory` has, in its order, and then what the daemon uses but cannot be seen (any more).
/// No `daemon`: none runs, or answers.
[[nodiscard]] std::vector<SourceRow> source_rows(const Inventory &inventory,
                                                 const std::optional<DaemonStatus> &daemon);

/// "hwrngd 1 (pid 240), for 5 h, 7 feeds, the last 3 s ago".
[[nodiscard]] std::string in_a_line(const DaemonStatus &daemon);

/// "12 s", "3 min", "5 h" or "2 d" since `when`, in seconds since 1970.
[[nodiscard]] std::string ago(double when);

} // namespace hwrngd
