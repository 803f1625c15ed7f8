// SPDX-License-Identifier: GPL-2.0-or-later
// A status document in which no field has its default value.
#pragma once

#include "status/document.h"

namespace hwrngd::test {

[[nodiscard]] inline DaemonStatus full_status()
{
	return {.schema = status_schema,
	        .version = "1.2",
	        .pid = 240,
	        .started = 1.7e9 + 0.125,
	        .crng_ready = true,
	        .feeds = 5,
	        .last_feed = 1.7e9 + 10,
	        .reseed_interval = 60,
	        .rng_current = "virtio_rng.0",
	        .rng_chosen = "tpm_rng.0",
	        .rng_reason = "it is preferred",
	        .config_error = "line 1 is wrong",
	        .egd = EgdStatus{.pid = 241,
	                         .clients = 1,
	                         .accepted = 4,
	                         .refused = 2,
	                         .bytes_served = 1000,
	                         .bytes_mixed = 10,
	                         .available = 4096},
	        .sources = {
	            {.name = "usb",
	             .kind = "generator",
	             .driver = "cdc_acm",
	             .claim = 512,
	             .use = "read",
	             .reason = "it is configured",
	             .state = "quarantined",
	             .retry = 1.7e9 + 20,
	             .bytes_read = 70'000,
	             .bytes_fed = 50'000,
	             .bytes_drawn = 12'288,
	             .credited_bits = 100'000,
	             .last_fed = 1.7e9 + 9,
	             .read_errors = 6,
	             .worst_latency_ms = 7,
	             .fips_blocks = 28,
	             .fips_failures = 3,
	             .failures = {{"fips_monobit", 1},
	                          {"fips_poker", 2},
	                          {"fips_runs", 3},
	                          {"fips_long_run", 4},
	                          {"fips_continuous", 5},
	                          {"repetition_count", 6},
	                          {"adaptive_proportion", 7},
	                          {"cycle", 8}},
	             .latency = {.reads = 11,
	                         .sum = 0.5,
	                         .buckets = {{.most = 1e-5, .reads = 4}, {.most = 0.5, .reads = 6}}},
	             .path = {{.time = 1.7e9 + 12,
	                       .from = "healthy",
	                       .to = "quarantined",
	                       .reason = "it repeats itself"}}}}};
}

} // namespace hwrngd::test
