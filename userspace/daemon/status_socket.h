// SPDX-License-Identifier: GPL-2.0-or-later
// What the running daemon says of itself: one JSON document for each connection to a unix socket,
// which reads nothing.
#pragma once

#include "egd/egd_messages.h"
#include "pool/pipeline.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <nlohmann/json_fwd.hpp>

namespace hwrngd {

/// The number of the document's schema, status.schema.json. It grows when a field changes its
/// meaning or goes; new fields may come without.
inline constexpr int status_schema = 1;

/// What the document is about.
struct DaemonState {
	std::string version;
	Time started;
	bool crng_ready = false;
	std::string rng_current;               ///< empty: none, or no framework
	std::string rng_reason;                ///< why it is left so or changed
	std::optional<std::string> rng_chosen; ///< the one that the daemon selected
	std::chrono::milliseconds reseed_interval{0};
	std::optional<std::string> config_error; ///< why the last reload kept the old configuration
};

[[nodiscard]] nlohmann::ordered_json status_document(const DaemonState &daemon,
                                                     const Pipeline &pipeline,
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
