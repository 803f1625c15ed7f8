// SPDX-License-Identifier: GPL-2.0-or-later
// Another machine that gives bytes by OpenSSH: its sshd runs `hwrngctl ssh-serve` for our key.
#pragma once

#include "base/address.h"
#include "pull/peer.h"

#include <memory>
#include <string>

namespace hwrngd {

/// The account at `address`, by ssh(1), which logs in with the private key in file `identity` and
/// trusts the host keys in file `known_hosts` alone. Nothing is done until the first pull.
///
/// A pull is one command, the number of bytes. A connection is made for the first, and kept for
/// those that follow within two minutes; it ends with the peer. A server that prints more than it
/// was asked for gives nothing. Fails with ExitCode::usage for a file whose name ssh_config(5)
/// cannot hold, and when there is no folder for the connection's socket.
[[nodiscard]] Result<std::unique_ptr<Peer>>
ssh_peer(const SshAddress &address, const std::string &identity, const std::string &known_hosts);

/// How known_hosts names a host (sshd(8)): "HOST", or "[HOST]:PORT".
[[nodiscard]] std::string known_host(const SshAddress &address);

} // namespace hwrngd
