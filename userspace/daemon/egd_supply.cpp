// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/egd_supply.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace hwrngd {

EgdSupply::EgdSupply(asio::io_context &io, FileDescriptor connection, Pipeline &pipeline,
                     std::function<void(const std::string &why)> on_lost)
    : connection_(io), pipeline_(pipeline), on_lost_(std::move(on_lost))
{
	if (!connection)
		return;
	connection_.assign(connection.release());
	wait();
}

void EgdSupply::wait()
{
	connection_.async_wait(asio::posix::stream_descriptor::wait_read,
	                       [this](const asio::error_code &error) {
		                       if (!error && receive())
			                       wait();
	                       });
}

bool EgdSupply::receive()
{
	egd::Report report;
	// One byte more than a report, to notice a message that is too long.
	std::array<uint8_t, sizeof report + 1> bytes{};
	const auto n = ::recv(connection_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != sizeof report) {
		lose(n > 0 ? "the EGD server sent an invalid message, so it gets no more bytes; restart "
		             "hwrngd to serve EGD clients again"
		           : "the EGD server is gone; restart hwrngd to serve EGD clients again");
		return false;
	}
	std::memcpy(&report, bytes.data(), sizeof report);
	report_ = report;
	if (report.wants != 0)
		pipeline_.draw({.take = [this](auto some, auto bits) { send(some, bits); },
		                .end = [this] { send({}, 0); }});
	return true;
}

void EgdSupply::send(std::span<const uint8_t> bytes, uint64_t bits)
{
	if (!connection_.is_open())
		return;
	egd::Portion head{.bits = bits};
	// sendmsg(2) only reads it.
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
	auto *const data = const_cast<uint8_t *>(bytes.data());
	std::array parts{iovec{.iov_base = &head, .iov_len = sizeof head},
	                 iovec{.iov_base = data, .iov_len = bytes.size()}};
	struct msghdr message = {};
	message.msg_iov = parts.data();
	message.msg_iovlen = parts.size();
	// If the server does not receive them, the bytes are lost, and it requests others.
	[[maybe_unused]] const auto sent =
	    ::sendmsg(connection_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void EgdSupply::lose(const std::string &why)
{
	asio::error_code error;
	// An error does not matter: the connection is not used any more.
	[[maybe_unused]] const auto closed = connection_.close(error);
	report_.reset();
	on_lost_(why);
}

} // namespace hwrngd
