// SPDX-License-Identifier: GPL-2.0-or-later
// What the running daemon says of itself: one JSON document for each connection to a unix socket,
// which reads nothing.
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

/// The point in time by the wall clock, in seconds since 1970, as Prometheus has it.
[[nodiscard]] double wall_clock(Time when);

/// What the process, the pipeline and the EGD server do; the rest of it is for the caller to add.
[[nodiscard]] DaemonStatus status_of(const Pipeline &pipeline,
                                     const std::optional<egd::Report> &egd = {});

class StatusSocket {
public:
	/// Listens at `path`, whose folder is made if need be; who was there before is gone.
	/// `document` is asked for each client.
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
