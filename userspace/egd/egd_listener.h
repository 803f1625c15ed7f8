// SPDX-License-Identifier: GPL-2.0-or-later
// Accepts EGD clients.
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

/// The identity under which a connected client is counted: an IPv4 address, an IPv6 /64 (one
/// network, and often one machine), or the user at the other end of a unix socket.
[[nodiscard]] std::string client_address(int socket);

class EgdListener {
public:
	/// Is called with each new client's socket; returns whether it was kept.
	using Welcome = std::function<bool(FileDescriptor)>;

	/// Accepts clients from a listening stream socket.
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
