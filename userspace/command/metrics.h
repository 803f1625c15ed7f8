// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's figures for Prometheus. prometheus.io/docs/practices/naming.
#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <prometheus/metric_family.h>

namespace hwrngd {

/// `daemon`: what ask_daemon() returned.
[[nodiscard]] std::vector<prometheus::MetricFamily>
metric_families(const nlohmann::ordered_json &daemon);

} // namespace hwrngd
