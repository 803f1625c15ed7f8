// SPDX-License-Identifier: GPL-2.0-or-later
// Where other machines are that give bytes, as the configuration has it.
#pragma once

#include "error.h"

#include <cstdint>
#include <string>

namespace hwrngd {

/// An EGD server: "unix:/PATH", "tcp:HOST:PORT", "tcp:[IPV6]:PORT", or the latter two with "tls:".
struct EgdAddress {
	bool tls = false;
	std::string path; ///< of a unix socket, or
	std::string host; ///< a name, or an address in numbers (without brackets)
	uint16_t port = 0;
};

/// Fails with ExitCode::usage, and what is wrong, without the address itself.
[[nodiscard]] Result<EgdAddress> parse_egd_address(const std::string &text);

/// An account of SSH: "USER@HOST" or "USER@HOST:PORT", with IPv6 in brackets.
struct SshAddress {
	std::string user;
	std::string host; ///< a name, or an address in numbers (without brackets)
	uint16_t port = 22;
};

/// As parse_egd_address().
[[nodiscard]] Result<SshAddress> parse_ssh_address(const std::string &text);

} // namespace hwrngd
