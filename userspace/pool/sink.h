// SPDX-License-Identifier: GPL-2.0-or-later
// Where credited bytes go: the kernel's pool, or the sink of a test.
#pragma once

#include "base/error.h"
#include "control/credit.h"

#include <cstdint>
#include <optional>
#include <span>

namespace hwrngd {

class Sink {
public:
	Sink() = default;
	Sink(Sink &&) = default;
	Sink(const Sink &) = delete;
	Sink &operator=(Sink &&) = default;
	Sink &operator=(const Sink &) = delete;
	virtual ~Sink() = default;

	/// Adds `bytes` (at most 2^31 - 1) that hold `bits` bits of entropy.
	[[nodiscard]] virtual Result<void> add(std::span<const uint8_t> bytes, uint64_t bits) = 0;

	/// Makes the sink use the added bytes now. False if that is not possible yet.
	[[nodiscard]] virtual Result<bool> reseed() = 0;

	/// The fill level, if the sink can be full.
	[[nodiscard]] virtual std::optional<PoolLevel> level() = 0;

	/// True if it has got enough bytes to be used.
	[[nodiscard]] virtual bool ready() = 0;
};

} // namespace hwrngd
