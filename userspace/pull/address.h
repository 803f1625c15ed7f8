// SPDX-License-Identifier: GPL-2.0-or-later
// Where other machines are that give bytes, as the configuration has it.
#pragma once

#include "error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace hwrngd {

/// This machine's key for other machines' SSH, and their host keys, where nothing else is said.
inline constexpr const char *usual_identity = "/etc/hwrngd/ssh/identity";
inline constexpr const char *usual_known_hosts = "/etc/hwrngd/ssh/known_hosts";

/// Letters, digits, -, _ and ., of which the first is a letter or a digit: nobody takes it for an
/// option, and it means the same to a shell, a file system, TOML and sshd(8).
[[nodiscard]] bool is_name(std::string_view text);

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
