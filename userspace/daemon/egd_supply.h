// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's end of the connection to its EGD server: sends bytes when the server requests some.
#pragma once

#include "base/file_descriptor.h"
#include "egd/egd_messages.h"
#include "pool/pipeline.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace hwrngd {

class EgdSupply {
public:
	/// If `connection` is empty, there is no server. The bytes come from `pipeline`. When the
	/// connection is lost, `on_lost` is called once, with the reason.
	EgdSupply(asio::io_context &io, FileDescriptor connection, Pipeline &pipeline,
	          std::function<void(const std::string &why)> on_lost);

	/// The server's last report, while it is connected.
	[[nodiscard]] const std::optional<egd::Report> &report() const { return report_; }

private:
	void wait();
	/// Receives a message. Returns false if the connection is lost.
	[[nodiscard]] bool receive();
	void send(std::span<const uint8_t> bytes, uint64_t bits);
	void lose(const std::string &why);

	asio::posix::stream_descriptor connection_;
	Pipeline &pipeline_;
	std::function<void(const std::string &)> on_lost_;
	std::optional<egd::Report> report_;
};

} // namespace hwrngd
