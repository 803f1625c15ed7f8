// SPDX-License-Identifier: GPL-2.0-or-later
// A server of the Entropy Gathering Daemon's protocol, as its client sees it.
#pragma once

#include "base/address.h"
#include "egd/egd_link.h"
#include "pull/peer.h"

#include <memory>
#include <string>

namespace hwrngd {

/// The server at `address`, by links that `link_to` makes. Nothing is done until the first pull.
///
/// A pull is one request for bytes (02) of at most 255. What has come of its answer within the
/// limit is given; unless that is all of it, the connection is closed, and with it goes what may
/// come later: so it is never unknown which request a byte belongs to. Who sends anything that was
/// not asked for is hung up on. A connection that the server has closed between two pulls is made
/// anew at once. To look a name up takes as long as resolv.conf(5) lets it.
[[nodiscard]] std::unique_ptr<Peer> egd_peer(const EgdAddress &address, LinkTo link_to);

} // namespace hwrngd
