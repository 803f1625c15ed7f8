// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses as the configuration has them: to listen at, and of other machines that give bytes.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd {

/// This machine's key for other machines' SSH, and their host keys, where nothing else is said.
inline constexpr const char *usual_identity = "/etc/hwrngd/ssh/identity";
inline constexpr const char *usual_known_hosts = "/etc/hwrngd/ssh/known_hosts";

/// Letters, digits, -, _ and ., of which the first is a letter or a digit: nobody takes it for an
/// option, and it means the same to a shell, a file system, TOML and sshd(8).
[[nodiscard]] bool is_name(std::string_view text);

/// An address to listen at, as the configuration has it: "unix:/PATH", "tcp:IPV4:PORT",
/// "tcp:[IPV6]:PORT", or the latter two with "tls:". Addresses are numbers: names would have to be
/// asked for.
struct ListenAddress {
	bool tls = false;
	std::string path;        ///< of a unix socket, or
	std::vector<uint8_t> ip; ///< 4 or 16 bytes, in the order of the network
	uint16_t port = 0;       ///< 1 to 65535
	/// Nobody from another machine can connect.
	[[nodiscard]] bool is_local() const;
};

/// A host and its port.
struct HostAndPort {
	std::string host;
	bool brackets = false; ///< it had them
	uint16_t port = 0;     ///< 1 to 65535
};

/// Splits "HOST:PORT" or "[HOST]:PORT", whatever the host is. Fails with ExitCode::usage, and what
/// is wrong, without the text itself.
[[nodiscard]] Result<HostAndPort> split_port(const std::string &text);

/// Where EGD is spoken: a path, or a host and its port.
struct EgdPlace {
	bool tls = false;
	std::string path;
	HostAndPort at;
};

/// Splits "unix:/PATH", and "tcp:" and "tls:" before what split_port() takes. Fails as that does.
[[nodiscard]] Result<EgdPlace> split_place(const std::string &text);

/// Fails with ExitCode::usage, and what is wrong, without the address itself.
[[nodiscard]] Result<ListenAddress> parse_listen_address(const std::string &text);

/// As parse_listen_address() takes it.
[[nodiscard]] std::string text_of(const ListenAddress &address);

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
