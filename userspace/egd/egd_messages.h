// SPDX-License-Identifier: GPL-2.0-or-later
// The messages between the daemon and its EGD server, on a SOCK_SEQPACKET socket. Both come from
// one build. The server trusts the daemon. The daemon trusts only the form of a message.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hwrngd::egd {

/// From the daemon: how many bits of entropy are in the bytes that follow. Without bytes: that was
/// all for this request.
struct Portion {
	uint64_t bits = 0;
};

/// Maximum size of a portion with its bytes.
inline constexpr size_t longest_portion = sizeof(Portion) + 4096;

/// From the server: its state.
struct Report {
	uint64_t wants = 0; ///< if not 0: send portions
	int64_t pid = 0;
	uint64_t available = 0; ///< bytes in its pool
	// As in EgdServer::Counts.
	uint64_t clients = 0;
	uint64_t accepted = 0;
	uint64_t refused = 0;
	uint64_t served = 0;
	uint64_t mixed = 0;
};

} // namespace hwrngd::egd
