// SPDX-License-Identifier: GPL-2.0-or-later
// The contract of those whom hwrngd-pull asks.
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hwrngd {

/// Another machine that gives bytes when it is asked.
class Peer {
public:
	/// Bytes of one pull.
	static constexpr size_t most_at_once = 512;

	Peer() = default;
	Peer(const Peer &) = delete;
	Peer &operator=(const Peer &) = delete;
	virtual ~Peer() = default;

	/// Asks for out.size() bytes, 1 to most_at_once, and waits `limit` at most. Returns how many
	/// came, 1 or more; an Error says why none did, after which the next call connects anew.
	[[nodiscard]] virtual Result<size_t> pull(std::span<uint8_t> out,
	                                          std::chrono::milliseconds limit) = 0;
};

} // namespace hwrngd
