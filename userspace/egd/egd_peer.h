// SPDX-License-Identifier: GPL-2.0-or-later
// A client of servers that speak the Entropy Gathering Daemon's protocol.
#pragma once

#include "base/address.h"
#include "egd/egd_link.h"
#include "pull/peer.h"

#include <memory>
#include <string>

namespace hwrngd {

/// The server at `address`, through links that `link_to` makes. Nothing happens before the first
/// pull.
///
/// - A pull is one request (02) for up to 255 bytes. It returns the part of the answer that arrived
///   within the limit.
/// - If that is not the whole answer, the connection is closed, and what may arrive later is
///   lost. So it is always known which request a byte belongs to.
/// - If the server sends anything that was not requested, the connection is closed.
/// - If the server closed the connection between two pulls, a new one is made at once.
/// - The limit does not cover the name lookup, which takes as long as resolv.conf(5) allows.
[[nodiscard]] std::unique_ptr<Peer> egd_peer(const EgdAddress &address, LinkTo link_to);

} // namespace hwrngd
