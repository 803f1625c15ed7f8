// SPDX-License-Identifier: GPL-2.0-or-later
// Where clients are awaited: sockets of unix(7), tcp(7), or what the service manager has opened.
#pragma once

#include "error.h"
#include "file_descriptor.h"
#include "root.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hwrngd {

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

/// A stream socket that listens there. Of a unix socket the folder is made if need be, who was
/// there before is gone, and every user may connect; its path is below `root`. To be called while
/// there is one thread.
[[nodiscard]] Result<FileDescriptor> open_listener(const Root &root, const ListenAddress &address);

/// A listening stream socket and its name (FileDescriptorName=).
struct PassedListener {
	std::string name;
	FileDescriptor fd;
};

/// Those that the service manager has passed on, as sd_listen_fds_with_names(3). Nobody finds them
/// a second time. To be called while there is one thread.
[[nodiscard]] Result<std::vector<PassedListener>> take_passed_listeners();

/// Where a listening socket is; of one that is neither unix(7)'s nor TCP's, ExitCode::usage.
[[nodiscard]] Result<ListenAddress> address_of(const FileDescriptor &listener);

/// As parse_listen_address() takes it.
[[nodiscard]] std::string text_of(const ListenAddress &address);

} // namespace hwrngd
