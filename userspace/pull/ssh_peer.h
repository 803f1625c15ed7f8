// SPDX-License-Identifier: GPL-2.0-or-later
// Gets bytes from another machine by OpenSSH: its sshd runs `hwrngctl ssh-serve` for our key.
#pragma once

#include "base/address.h"
#include "pull/peer.h"

#include <memory>
#include <string>

namespace hwrngd {

/// The account at `address`, reached by ssh(1). It logs in with the private key in the file
/// `identity`, and trusts only the host keys in the file `known_hosts`. Does nothing until the
/// first pull.
///
/// A pull sends one command: the number of bytes. The first pull makes a connection. It is kept for
/// pulls that follow within two minutes, and ends with the peer. If the server prints more than was
/// requested, the pull fails.
///
/// Fails with ExitCode::usage if ssh_config(5) cannot hold the path of a file. Also fails if the
/// folder for the connection's socket cannot be made.
[[nodiscard]] Result<std::unique_ptr<Peer>>
ssh_peer(const SshAddress &address, const std::string &identity, const std::string &known_hosts);

/// The name of a host in known_hosts (sshd(8)): "HOST" or "[HOST]:PORT".
[[nodiscard]] std::string known_host(const SshAddress &address);

} // namespace hwrngd
