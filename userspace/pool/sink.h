// SPDX-License-Identifier: GPL-2.0-or-later
// Where credited bytes go: the kernel's pool, or a test's.
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

	/// Takes `bytes` (at most 2^31 - 1), which hold `bits` bits of entropy.
	[[nodiscard]] virtual Result<void> add(std::span<const uint8_t> bytes, uint64_t bits) = 0;

	/// Makes what was added count now. False while that is not possible yet.
	[[nodiscard]] virtual Result<bool> reseed() = 0;

	/// How full it is, if it can be full.
	[[nodiscard]] virtual std::optional<PoolLevel> level() = 0;

	/// Has it been given enough to begin with?
	[[nodiscard]] virtual bool ready() = 0;
};

} // namespace hwrngd
