// SPDX-License-Identifier: GPL-2.0-or-later
// The status of the running daemon: each client that connects to a unix socket gets one JSON
// document. The socket reads nothing from clients.
#pragma once

#include "egd/egd_messages.h"
#include "pool/pipeline.h"
#include "status/document.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>

namespace hwrngd {

/// The point in time by the wall clock, in seconds since 1970, the format of Prometheus.
[[nodiscard]] double wall_clock(Time when);

/// The status of the process, the pipeline and the EGD server. The caller adds the other fields.
[[nodiscard]] DaemonStatus status_of(const Pipeline &pipeline,
                                     const std::optional<egd::Report> &egd = {});

class StatusSocket {
public:
	/// Listens at `path`. Creates its folder if necessary, and replaces an older socket.
	/// `document` is called for each client.
	[[nodiscard]] static Result<std::unique_ptr<StatusSocket>>
	listen(asio::io_context &io, const std::filesystem::path &path,
	       std::function<std::string()> document);

	StatusSocket(const StatusSocket &) = delete;
	StatusSocket &operator=(const StatusSocket &) = delete;
	/// Removes the socket.
	~StatusSocket();

private:
	using Protocol = asio::local::stream_protocol;

	StatusSocket(asio::io_context &io, std::filesystem::path path,
	             std::function<std::string()> document);
	void accept();

	Protocol::acceptor acceptor_;
	asio::steady_timer pause_;
	std::filesystem::path path_;
	std::function<std::string()> document_;
	unsigned clients_ = 0;
};

} // namespace hwrngd
