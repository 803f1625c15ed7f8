// SPDX-License-Identifier: GPL-2.0-or-later
// Parses the addresses in the configuration: those to listen on, and those of other machines that
// provide random bytes.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd {

/// Default paths: the key with which this machine logs in to others over SSH, and their host keys.
inline constexpr const char *usual_identity = "/etc/hwrngd/ssh/identity";
inline constexpr const char *usual_known_hosts = "/etc/hwrngd/ssh/known_hosts";

/// True for a non-empty text of letters, digits, -, _ and . that starts with a letter or a digit.
/// Such a text cannot be mistaken for an option, and it needs no quoting in a shell, a path, TOML
/// or sshd(8).
[[nodiscard]] bool is_name(std::string_view text);

/// An address to listen on: "unix:/PATH", "tcp:IPV4:PORT", "tcp:[IPV6]:PORT", or the last two with
/// "tls:" instead of "tcp:". Only numeric addresses: a name would need a resolver.
struct ListenAddress {
	bool tls = false;
	std::string path;        ///< path of a unix socket; empty for TCP and TLS
	std::vector<uint8_t> ip; ///< 4 or 16 bytes in network order; empty for a unix socket
	uint16_t port = 0;       ///< 1 to 65535
	/// True if other machines cannot connect to it.
	[[nodiscard]] bool is_local() const;
};

/// A host and its port.
struct HostAndPort {
	std::string host;
	bool brackets = false; ///< the host stood in brackets
	uint16_t port = 0;     ///< 1 to 65535
};

/// Splits "HOST:PORT" or "[HOST]:PORT" without checking the host. Fails with ExitCode::usage; the
/// message says what is wrong but does not repeat the text.
[[nodiscard]] Result<HostAndPort> split_port(const std::string &text);

/// An EGD endpoint: the path of a unix socket, or a host and its port.
struct EgdPlace {
	bool tls = false;
	std::string path;
	HostAndPort at;
};

/// Splits "unix:/PATH", "tcp:HOST:PORT" or "tls:HOST:PORT". Errors: see split_port().
[[nodiscard]] Result<EgdPlace> split_place(const std::string &text);

/// Fails with ExitCode::usage; the message says what is wrong but does not repeat the address.
[[nodiscard]] Result<ListenAddress> parse_listen_address(const std::string &text);

/// Formats an address in the form that parse_listen_address() accepts.
[[nodiscard]] std::string text_of(const ListenAddress &address);

/// An EGD server: "unix:/PATH", "tcp:HOST:PORT", "tcp:[IPV6]:PORT", or the last two with "tls:"
/// instead of "tcp:".
struct EgdAddress {
	bool tls = false;
	std::string path; ///< path of a unix socket; empty for TCP and TLS
	std::string host; ///< a name or a numeric address, without brackets
	uint16_t port = 0;
};

/// Fails with ExitCode::usage; the message says what is wrong but does not repeat the address.
[[nodiscard]] Result<EgdAddress> parse_egd_address(const std::string &text);

/// An SSH account: "USER@HOST" or "USER@HOST:PORT", with an IPv6 address in brackets.
struct SshAddress {
	std::string user;
	std::string host; ///< a name or a numeric address, without brackets
	uint16_t port = 22;
};

/// Errors: see parse_egd_address().
[[nodiscard]] Result<SshAddress> parse_ssh_address(const std::string &text);

} // namespace hwrngd
