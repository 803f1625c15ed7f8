// SPDX-License-Identifier: GPL-2.0-or-later
// Many clients of an EGD server at once, for tests/peers/egd and egd-tls:
//
//   egd_clients distinct SOCKET PORT   100 clients record the bytes they get; no 16 bytes, at any
//                                      offset, may occur twice
//   egd_clients half-open PORT COUNT   COUNT clients start a TLS handshake and do not continue
//                                      it until standard input ends
#include "base/file_descriptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

using namespace hwrngd;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr size_t enough = 3 << 19; // 1.5 MiB
constexpr auto longest = 30s;
constexpr auto patience = 20s;

int must(int result, const char *what)
{
	if (result < 0)
		throw std::system_error(errno, std::generic_category(), what);
	return result;
}

template <typename Address> FileDescriptor connected(int family, const Address &address)
{
	FileDescriptor fd(must(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
	must(connect(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address),
	     "connect");
	return fd;
}

FileDescriptor by_unix(const std::string &path)
{
	sockaddr_un address = {};
	address.sun_family = AF_UNIX;
	if (path.size() >= sizeof address.sun_path)
		throw std::runtime_error(path + " is too long");
	std::ranges::copy(path, &address.sun_path[0]);
	return connected(AF_UNIX, address);
}

/// Connects from 127.0.0.`from`.
FileDescriptor by_tcp(const std::string &port, uint8_t from = 1)
{
	sockaddr_in address = {};
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + from);
	FileDescriptor fd(must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
	must(bind(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address), "bind");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(static_cast<uint16_t>(std::stoul(port)));
	must(connect(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address),
	     "connect");
	return fd;
}

/// Asks again and again, with 01 and 02, for 1 to 255 bytes, and keeps the answers.
class Client {
public:
	Client(FileDescriptor socket, size_t number) : socket_(std::move(socket)), number_(number) {}

	void ask()
	{
		const auto count = 1 + (97 * number_ + 61 * asked_) % 255;
		polite_ = (number_ / 2 + asked_) % 2 == 0;
		asked_++;
		due_ = polite_ ? std::nullopt : std::optional(count);
		waits_ = true;
		const std::array<uint8_t, 2> request{static_cast<uint8_t>(polite_ ? 1 : 2),
		                                     static_cast<uint8_t>(count)};
		must(static_cast<int>(send(socket_.get(), request.data(), 2, MSG_NOSIGNAL)), "send");
	}
	/// Call it when there is something to read.
	void receive()
	{
		std::array<uint8_t, 256> some{};
		const size_t room = due_.value_or(1);
		const auto n = recv(socket_.get(), some.data(), room, 0);
		if (n <= 0)
			throw std::runtime_error("the server hung up");
		if (!due_) {
			due_ = some[0];
		} else {
			got_.insert(got_.end(), some.begin(), some.begin() + n);
			due_ = *due_ - static_cast<size_t>(n);
		}
		waits_ = due_ != 0;
	}
	[[nodiscard]] bool waits() const { return waits_; }
	[[nodiscard]] int socket() const { return socket_.get(); }
	[[nodiscard]] const std::vector<uint8_t> &got() const { return got_; }

private:
	FileDescriptor socket_;
	size_t number_;
	size_t asked_ = 0;
	bool polite_ = false;       ///< asked with 01, so the answer begins with a length
	std::optional<size_t> due_; ///< bytes still to come, once known
	bool waits_ = false;
	std::vector<uint8_t> got_;
};

/// 16 bytes and their position.
struct Window {
	std::array<uint8_t, 16> bytes;
	uint32_t client;
	uint32_t at;
};

/// Looks for repeated windows, and returns the exit code.
int judge(const std::vector<Client> &clients, size_t bytes)
{
	std::vector<Window> windows;
	windows.reserve(bytes);
	for (uint32_t i = 0; i < clients.size(); i++) {
		const auto &got = clients[i].got();
		for (uint32_t at = 0; at + 16 <= got.size(); at++) {
			Window window{.bytes = {}, .client = i, .at = at};
			std::copy_n(got.begin() + at, 16, window.bytes.begin());
			windows.push_back(window);
		}
	}
	std::ranges::sort(windows, {}, &Window::bytes);
	const auto twice = std::ranges::adjacent_find(windows, {}, &Window::bytes);
	const auto bytes_of = [](const Client &client) { return client.got().size(); };
	const auto least = bytes_of(*std::ranges::min_element(clients, {}, bytes_of));
	fmt::print("{} bytes for {} clients, at least {} for each, {} windows of 16\n", bytes,
	           clients.size(), least, windows.size());
	if (twice != windows.end()) {
		const auto &other = *(twice + 1);
		fmt::print("client {} got at byte {} the same 16 bytes as client {} at byte {}\n",
		           other.client, other.at, twice->client, twice->at);
		return 1;
	}
	return least >= 16 ? 0 : 1;
}

int distinct(const std::string &path, const std::string &port)
{
	constexpr size_t count = 100;
	std::vector<Client> clients;
	clients.reserve(count);
	for (size_t i = 0; i < count; i++)
		clients.emplace_back(i % 2 == 0 ? by_tcp(port) : by_unix(path), i);
	std::vector<pollfd> polled;
	polled.reserve(count);
	for (auto &client : clients) {
		client.ask();
		polled.push_back({.fd = client.socket(), .events = POLLIN, .revents = 0});
	}
	const auto begin = Clock::now();
	size_t waiting = count;
	while (waiting > 0) {
		const auto now = Clock::now() - begin;
		if (poll(polled.data(), polled.size(), 1000) < 0 || now > longest + patience)
			throw std::runtime_error("not all requests were answered");
		size_t bytes = 0;
		for (const auto &client : clients)
			bytes += client.got().size();
		const bool more = bytes < enough && now < longest;
		waiting = 0;
		for (size_t i = 0; i < count; i++) {
			if (polled[i].revents != 0 && clients[i].waits())
				clients[i].receive();
			if (!clients[i].waits() && more)
				clients[i].ask();
			waiting += clients[i].waits() ? 1 : 0;
		}
	}
	size_t bytes = 0;
	for (const auto &client : clients)
		bytes += client.got().size();
	return judge(clients, bytes);
}

/// The first message of a TLS client.
std::vector<uint8_t> hello()
{
	const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX *)> context(SSL_CTX_new(TLS_client_method()),
	                                                            SSL_CTX_free);
	const std::unique_ptr<SSL, void (*)(SSL *)> ssl(SSL_new(context.get()), SSL_free);
	SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())); // which takes ownership
	SSL_set_connect_state(ssl.get());
	SSL_do_handshake(ssl.get());
	std::vector<uint8_t> bytes(4096);
	const int n = BIO_read(SSL_get_wbio(ssl.get()), bytes.data(), static_cast<int>(bytes.size()));
	bytes.resize(static_cast<size_t>(must(n, "OpenSSL made no ClientHello")));
	return bytes;
}

int half_open(const std::string &port, size_t count)
{
	const auto first = hello();
	std::vector<FileDescriptor> sockets;
	for (size_t i = 0; i < count; i++) {
		sockets.push_back(by_tcp(port, static_cast<uint8_t>(2 + i / 50)));
		// Every second client sends a complete hello, and then does not read the answer.
		const size_t size = i % 2 == 0 ? first.size() : first.size() / 2;
		must(static_cast<int>(send(sockets.back().get(), first.data(), size, MSG_NOSIGNAL)),
		     "send");
	}
	fmt::print("open\n");
	std::fflush(stdout);
	char some = 0;
	while (read(STDIN_FILENO, &some, 1) > 0)
		;
	return 0;
}

} // namespace

int main(int argc, char **argv)
try {
	std::signal(SIGPIPE, SIG_IGN);
	const std::vector<std::string> words(argv + 1, argv + argc);
	if (words.size() == 3 && words[0] == "distinct")
		return distinct(words[1], words[2]);
	if (words.size() == 3 && words[0] == "half-open")
		return half_open(words[1], std::stoul(words[2]));
	std::fputs("usage: egd_clients distinct SOCKET PORT | half-open PORT COUNT\n", stderr);
	return 2;
} catch (const std::exception &error) {
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return 1;
}
