// SPDX-License-Identifier: GPL-2.0-or-later
// The interface of a machine from which hwrngd-pull gets bytes.
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hwrngd {

/// Another machine that gives bytes on request.
class Peer {
public:
	/// The most bytes of one pull.
	static constexpr size_t most_at_once = 512;

	Peer() = default;
	Peer(const Peer &) = delete;
	Peer &operator=(const Peer &) = delete;
	virtual ~Peer() = default;

	/// Requests out.size() bytes (1 to most_at_once) and waits up to `limit`. Returns the number of
	/// bytes that came, at least 1, or an Error that says why none came. After an error the next
	/// call connects again.
	[[nodiscard]] virtual Result<size_t> pull(std::span<uint8_t> out,
	                                          std::chrono::milliseconds limit) = 0;
};

} // namespace hwrngd
