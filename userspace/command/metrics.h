// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's metrics for Prometheus, named as in prometheus.io/docs/practices/naming.
#pragma once

#include "status/document.h"

#include <optional>
#include <vector>

#include <prometheus/metric_family.h>

namespace hwrngd {

/// All metrics. `daemon` is the result of ask_daemon().
[[nodiscard]] std::vector<prometheus::MetricFamily>
metric_families(const std::optional<DaemonStatus> &daemon);

} // namespace hwrngd
