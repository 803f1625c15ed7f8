// SPDX-License-Identifier: GPL-2.0-or-later
// A fake daemon that answers at the status socket with any text.
#pragma once

#include "fake_tree.h"

#include <chrono>
#include <string>
#include <thread>

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/write.hpp>

namespace hwrngd::test {

/// Sends `text` to every client that connects, after `pause`.
class FakeDaemon {
public:
	FakeDaemon(FakeTree &tree, std::string text, std::chrono::milliseconds pause = {})
	    : text_(std::move(text)), pause_(pause), acceptor_(io_)
	{
		tree.file("/run/hwrngd/lock", "");
		acceptor_ = {io_, Stream::endpoint(tree.at("/run/hwrngd/status").string())};
		accept();
		thread_ = std::jthread([this] { io_.run(); });
	}
	FakeDaemon(const FakeDaemon &) = delete;
	FakeDaemon &operator=(const FakeDaemon &) = delete;
	~FakeDaemon() { io_.stop(); }

private:
	using Stream = asio::local::stream_protocol;

	void accept()
	{
		acceptor_.async_accept([this](const asio::error_code &error, Stream::socket peer) {
			if (error)
				return;
			std::this_thread::sleep_for(pause_);
			asio::error_code gone; // the client did not wait
			asio::write(peer, asio::buffer(text_), gone);
			accept();
		});
	}

	std::string text_;
	std::chrono::milliseconds pause_;
	asio::io_context io_;
	Stream::acceptor acceptor_;
	std::jthread thread_; // ends before the members that it uses are destroyed
};

} // namespace hwrngd::test
