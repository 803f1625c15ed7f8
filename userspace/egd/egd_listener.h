// SPDX-License-Identifier: GPL-2.0-or-later
// Where EGD clients come in.
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

namespace hwrngd {

/// Whom the client of a connected socket is counted under: an IPv4 address, an IPv6 /64, which is
/// one network and often one machine, or the user at the other end of a unix socket.
[[nodiscard]] std::string client_address(int socket);

class EgdListener {
public:
	/// Gives a socket to somebody, who returns whether it was kept.
	using Welcome = std::function<bool(FileDescriptor)>;

	/// Takes clients from a listening stream socket.
	[[nodiscard]] static Result<std::unique_ptr<EgdListener>>
	open(asio::io_context &io, FileDescriptor socket, Welcome welcome);

private:
	EgdListener(asio::io_context &io, Welcome welcome);
	void wait();
	void pause(std::chrono::milliseconds time);
	void accept();

	asio::posix::stream_descriptor socket_;
	asio::steady_timer pause_;
	Welcome welcome_;
};

} // namespace hwrngd
