// SPDX-License-Identifier: GPL-2.0-or-later
#include "egd/egd_peer.h"

#include "base/file_descriptor.h"
#include "base/interrupt.h"
#include "base/secret_buffer.h"
#include "egd/egd_protocol.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace hwrngd {

namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

// The longest answer to one request, whose length field is one byte.
constexpr size_t longest_answer = 255;
// An answer that begins with a letter is text: no server has that many bits.
constexpr uint8_t first_letter = 0x20;

/// An address as connect(2) wants it.
struct SocketAddress {
	struct sockaddr_storage storage = {};
	socklen_t size = 0;
};

std::string name_of(const EgdAddress &address)
{
	if (!address.path.empty())
		return "unix:" + address.path;
	const bool v6 = address.host.contains(':');
	return fmt::format("{}:{}{}{}:{}", address.tls ? "tls" : "tcp", v6 ? "[" : "", address.host,
	                   v6 ? "]" : "", address.port);
}

class EgdPeer final : public Peer {
public:
	EgdPeer(EgdAddress address, LinkTo link_to)
	    : address_(std::move(address)), name_(name_of(address_)), link_to_(std::move(link_to))
	{
	}
	~EgdPeer() override { hang_up(); }

	[[nodiscard]] Result<size_t> pull(std::span<uint8_t> out,
	                                  std::chrono::milliseconds limit) override
	{
		const auto end = Clock::now() + limit;
		const size_t wanted = std::min(out.size(), longest_answer);
		if (auto connected = be_connected(end); !connected) {
			hang_up();
			return std::unexpected(connected.error());
		}
		const auto request = static_cast<uint8_t>(egd::Command::read_blocking);
		auto got = ask({request, static_cast<uint8_t>(wanted)}, wanted, end);
		if (got)
			std::copy_n(answer_.span().begin(), *got, out.begin());
		explicit_bzero(answer_.span().data(), answer_.span().size());
		if (!got || *got < wanted)
			hang_up();
		return got;
	}

private:
	[[nodiscard]] std::unexpected<Error> fail_garbage() const
	{
		return fail(
		    ExitCode::io_error,
		    fmt::format("{}: sent bytes that were not requested: it is not an EGD server, or "
		                "it cannot be trusted",
		                name_));
	}

	/// The error of a failed call of the link, which left errno as `number`.
	[[nodiscard]] std::unexpected<Error> fail_link(int number) const
	{
		const auto trouble = link_->trouble();
		if (number == EPROTO && !trouble.empty())
			return fail(ExitCode::io_error, fmt::format("{}: {}", name_, trouble));
		return fail_errno(number, name_);
	}

	void hang_up()
	{
		if (link_)
			link_->end();
		link_.reset();
		socket_ = FileDescriptor();
	}

	/// Waits for these events until `end`; returns an errno value, or 0.
	[[nodiscard]] static int wait(int fd, int events, Time end)
	{
		while (true) {
			const auto left =
			    std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
			if (left <= 0)
				return ETIMEDOUT;
			struct pollfd waited = {.fd = fd, .events = static_cast<short>(events), .revents = 0};
			const int ready = ::poll(&waited, 1, static_cast<int>(left));
			if (ready > 0)
				return 0;
			if (ready < 0 && (errno != EINTR || interrupted() != 0))
				return errno;
		}
	}

	/// Makes a connection if there is none.
	[[nodiscard]] Result<void> be_connected(Time end)
	{
		if (socket_) {
			uint8_t unasked = 0;
			const auto n = link_->receive({&unasked, 1});
			if (n > 0)
				return fail_garbage();
			if (n < 0 && (errno == EAGAIN || errno == EINTR))
				return {};
			hang_up(); // the server closed it
		}
		if (auto connected = connect(end); !connected)
			return connected;
		if (auto made = make_link(end); !made)
			return made;
		return recognize(end);
	}

	[[nodiscard]] Result<std::vector<SocketAddress>> look_up() const
	{
		std::vector<SocketAddress> found;
		if (!address_.path.empty()) {
			struct sockaddr_un local = {};
			local.sun_family = AF_UNIX;
			if (address_.path.size() >= sizeof local.sun_path)
				return fail(ExitCode::usage,
				            fmt::format("{}: the path is too long for a socket", name_));
			std::ranges::copy(address_.path, &local.sun_path[0]);
			found.resize(1);
			std::memcpy(&found[0].storage, &local, sizeof local);
			found[0].size = sizeof local;
			return found;
		}
		struct addrinfo hints = {};
		hints.ai_socktype = SOCK_STREAM;
		hints.ai_flags = AI_NUMERICSERV;
		struct addrinfo *list = nullptr;
		const auto port = std::to_string(address_.port);
		const int error = getaddrinfo(address_.host.c_str(), port.c_str(), &hints, &list);
		if (error == EAI_SYSTEM)
			return fail_errno(errno, name_);
		if (error != 0)
			return fail(ExitCode::no_source, fmt::format("{}: its name cannot be resolved: {}",
			                                             name_, gai_strerror(error)));
		for (const auto *one = list; one != nullptr; one = one->ai_next) {
			auto &address = found.emplace_back();
			address.size = std::min<socklen_t>(one->ai_addrlen, sizeof address.storage);
			std::memcpy(&address.storage, one->ai_addr, address.size);
		}
		freeaddrinfo(list);
		return found;
	}

	/// Connects to the first address that answers. Each address gets an equal share of the time.
	[[nodiscard]] Result<void> connect(Time end)
	{
		const auto addresses = look_up();
		if (!addresses)
			return std::unexpected(addresses.error());
		int error = ETIMEDOUT;
		auto left = static_cast<int>(addresses->size());
		for (const auto &address : *addresses) {
			const auto now = Clock::now();
			error = connect_to(address, now + (end - now) / left--);
			if (error == 0)
				return {};
		}
		return fail_errno(error, name_);
	}

	/// Returns an errno value, or 0.
	[[nodiscard]] int connect_to(const SocketAddress &address, Time end)
	{
		socket_ = FileDescriptor(
		    ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
		// A close resets the connection, so that the server drops what it may still have for us.
		// After a plain close a server may go on answering, as to a client that only stopped
		// sending.
		constexpr struct linger at_once = {.l_onoff = 1, .l_linger = 0};
		if (!socket_ ||
		    setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) < 0)
			return errno;
		// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as connect(2) wants it
		const auto *to = reinterpret_cast<const struct sockaddr *>(&address.storage);
		int error = ::connect(socket_.get(), to, address.size) == 0 ? 0 : errno;
		if (error == EINPROGRESS)
			error = wait(socket_.get(), POLLOUT, end);
		socklen_t size = sizeof error;
		if (error == 0 && getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) < 0)
			error = errno;
		return error;
	}

	[[nodiscard]] Result<void> make_link(Time end)
	{
		link_ = link_to_(socket_.get());
		if (!link_)
			return fail(ExitCode::io_error, fmt::format("{}: TLS cannot be set up", name_));
		while (!link_->ready()) {
			uint8_t unasked = 0;
			const auto n = link_->receive({&unasked, 1});
			const int error = errno;
			if (n > 0)
				return fail_garbage();
			if (n == 0)
				return fail(ExitCode::io_error, fmt::format("{}: hung up", name_));
			if (link_->ready())
				break;
			if (error != EAGAIN && error != EINPROGRESS)
				return fail_link(error);
			const int waited = wait(socket_.get(), error == EAGAIN ? POLLIN : POLLOUT, end);
			if (waited != 0)
				return fail_errno(waited, name_);
		}
		return {};
	}

	/// Is it an EGD server? The greeting of any other server would be taken for random bytes.
	[[nodiscard]] Result<void> recognize(Time end)
	{
		constexpr size_t length = sizeof(uint32_t);
		const auto got = ask({static_cast<uint8_t>(egd::Command::available)}, length, end);
		if (!got)
			return std::unexpected(got.error());
		if (*got == length && answer_.span().front() < first_letter)
			return {};
		return fail(ExitCode::io_error,
		            fmt::format("{}: does not answer like an EGD server", name_));
	}

	/// Sends a request and reads `wanted` bytes of answer into `answer_`. Returns how many arrived:
	/// fewer if the time was up or the server closed the connection.
	[[nodiscard]] Result<size_t> ask(std::vector<uint8_t> request, size_t wanted, Time end)
	{
		size_t sent = 0;
		size_t got = 0;
		while (got < wanted) {
			const bool sending = sent < request.size();
			// Read one more than wanted, to notice an answer that is too long.
			const auto room = answer_.span().subspan(got, wanted + 1 - got);
			const auto n =
			    sending ? link_->send(std::span(request).subspan(sent)) : link_->receive(room);
			const int error = errno;
			if (n > 0) {
				(sending ? sent : got) += static_cast<size_t>(n);
				continue;
			}
			const bool over = n == 0 || error == ECONNRESET || error == EPIPE;
			if (over && got > 0)
				return got;
			if (n == 0)
				return fail(ExitCode::io_error, fmt::format("{}: hung up", name_));
			if (error == EINTR)
				continue;
			if (error != EAGAIN && error != EINPROGRESS)
				return fail_link(error);
			const bool to_send = sending == (error == EAGAIN);
			const int waited = wait(socket_.get(), to_send ? POLLOUT : POLLIN, end);
			if (waited == ETIMEDOUT && got > 0)
				return got;
			if (waited == ETIMEDOUT)
				return fail_errno(waited, fmt::format("{}: returns no data", name_));
			if (waited != 0)
				return fail_errno(waited, name_);
		}
		if (got > wanted)
			return fail_garbage();
		return got;
	}

	EgdAddress address_;
	std::string name_;
	LinkTo link_to_;
	FileDescriptor socket_;
	std::unique_ptr<EgdLink> link_;
	SecretBuffer answer_{longest_answer + 1};
};

} // namespace

std::unique_ptr<Peer> egd_peer(const EgdAddress &address, LinkTo link_to)
{
	return std::make_unique<EgdPeer>(address, std::move(link_to));
}

} // namespace hwrngd
