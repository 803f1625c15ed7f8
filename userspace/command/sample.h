// SPDX-License-Identifier: GPL-2.0-or-later
// Reads and tests blocks of a source, for the commands `test`, `feed` and `check scs`.
#pragma once

#include "control/open_source.h"
#include "health/fips140_2.h"
#include "source/source.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include <nlohmann/json_fwd.hpp>

namespace hwrngd {

/// True for a regular file or a pipe, which ends by itself; false for a device. "-" is standard
/// input.
[[nodiscard]] bool ends(const std::string &file);

struct Sample {
	fips140_2::Statistics fips;
	uint64_t bytes_read = 0;
};

struct SampleOptions {
	std::optional<uint64_t> blocks; ///< none: until the end of the data
	size_t blocks_a_read = 1;       ///< many for a file, one for a slow device
	std::string title = "source";   ///< named by the progress line
};

/// Receives each block, and the Failure bits of the tests that it failed.
using BlockSink = std::function<void(std::span<const uint8_t, fips140_2::block_bytes>, uint8_t)>;

/// Reads the bootstrap word and then blocks, tests each block, and shows progress on a terminal.
/// Ends early at the end of the data, or on a caught signal; the result then has the blocks tested
/// so far.
[[nodiscard]] Result<Sample> test_blocks(Source &source, const SampleOptions &options,
                                         const BlockSink &sink);

/// {"blocks", "failures", "monobit", "poker", "runs", "long_run", "continuous_run"}
[[nodiscard]] nlohmann::ordered_json to_json(const fips140_2::Statistics &fips);

/// "3 of 16 blocks failed (monobit 3, runs 2)"
[[nodiscard]] std::string to_text(const fips140_2::Statistics &fips);

} // namespace hwrngd
