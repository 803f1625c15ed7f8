// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's figures for Prometheus. prometheus.io/docs/practices/naming.
#pragma once

#include "status/document.h"

#include <optional>
#include <vector>

#include <prometheus/metric_family.h>

namespace hwrngd {

/// `daemon`: what ask_daemon() returned.
[[nodiscard]] std::vector<prometheus::MetricFamily>
metric_families(const std::optional<DaemonStatus> &daemon);

} // namespace hwrngd
