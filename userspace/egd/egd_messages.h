// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon and its EGD server tell each other, through a SOCK_SEQPACKET socket. Both are of
// one build. The server trusts the daemon; the daemon believes nothing but the form.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hwrngd::egd {

/// From the daemon: so many bits of entropy are in the bytes that follow. No bytes: that was all
/// for this time.
struct Portion {
	uint64_t bits = 0;
};

/// No portion is longer, with its bytes.
inline constexpr size_t longest_portion = sizeof(Portion) + 4096;

/// From the server: how it is.
struct Report {
	uint64_t wants = 0; ///< not 0: send portions
	int64_t pid = 0;
	uint64_t available = 0; ///< bytes in its pool
	// As EgdServer::Counts.
	uint64_t clients = 0;
	uint64_t accepted = 0;
	uint64_t refused = 0;
	uint64_t served = 0;
	uint64_t mixed = 0;
};

} // namespace hwrngd::egd
