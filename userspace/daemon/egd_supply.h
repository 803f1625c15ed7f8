// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's end of the connection to its EGD server: gives it bytes when it wants some.
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
	/// Without a `connection` nobody is there. `pipeline` has the bytes; `on_lost` is told, once,
	/// why there is no server any more.
	EgdSupply(asio::io_context &io, FileDescriptor connection, Pipeline &pipeline,
	          std::function<void(const std::string &why)> on_lost);

	/// What the server said last, while there is one.
	[[nodiscard]] const std::optional<egd::Report> &report() const { return report_; }

private:
	void wait();
	/// Returns whether there was anything.
	[[nodiscard]] bool receive();
	void send(std::span<const uint8_t> bytes, uint64_t bits);
	void lose(const std::string &why);

	asio::posix::stream_descriptor connection_;
	Pipeline &pipeline_;
	std::function<void(const std::string &)> on_lost_;
	std::optional<egd::Report> report_;
};

} // namespace hwrngd
