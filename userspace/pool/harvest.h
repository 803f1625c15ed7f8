// SPDX-License-Identifier: GPL-2.0-or-later
// One access to a source: it is opened, read, and closed in the thread that reads it.
#pragma once

#include "base/secret_buffer.h"
#include "control/inventory.h"
#include "pool/clock.h"
#include "source/source.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace hwrngd {

/// Opens a source for one harvest. It is called in the thread that reads, and must own everything
/// that it uses, because the thread may outlive the pipeline.
using SourceOpener = std::function<Result<std::unique_ptr<Source>>(const SourceInfo &)>;

/// Where the bytes go: to the sink, or to a taker.
enum class Purpose : uint8_t { feed, draw };

struct Harvest {
	/// A piece is tested and credited as a whole, so it is small compared with the start-up test.
	static constexpr size_t piece = 512;

	Harvest(SourceInfo from, Purpose why, size_t size)
	    : source(std::move(from)), purpose(why), buffer(size)
	{
	}

	/// Reads until the buffer is full. Unless `whole` is true, ends earlier if the source is slow.
	void read_source(const SourceOpener &open, const std::function<Time()> &now, bool whole);

	[[nodiscard]] std::span<uint8_t> bytes() { return buffer.span().first(have); }

	SourceInfo source;
	Purpose purpose;
	SecretBuffer buffer;
	size_t have = 0; ///< bytes in `buffer`
	std::optional<Error> error;
	std::vector<std::chrono::duration<double>> latencies; ///< of each read
	std::chrono::milliseconds worst{0};                   ///< the longest of them
	std::chrono::duration<double> duration{0};            ///< of all reads together

private:
	void read_into_buffer(Source &opened, const std::function<Time()> &now, bool whole);
};

} // namespace hwrngd
