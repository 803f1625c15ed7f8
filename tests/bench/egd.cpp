// SPDX-License-Identifier: GPL-2.0-or-later
// Tests hwrngd-egd under load. This program feeds it in place of the daemon.
//
//   bench_egd PROGRAM speed     compares its speed with a raw echo of the same messages
//   bench_egd PROGRAM hostile   fails if hostile clients slow down honest ones too much, or if it
//                               takes too much memory
#include "base/file_descriptor.h"
#include "egd/egd_messages.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fmt/format.h>

using namespace hwrngd;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

int must(int result, const char *what)
{
	if (result < 0)
		throw std::system_error(errno, std::generic_category(), what);
	return result;
}

sockaddr_in loopback(uint8_t last, uint16_t port)
{
	sockaddr_in address = {};
	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last);
	return address;
}

template <typename Call> int with_address(const Call &call, int fd, sockaddr_in address)
{
	return call(fd, reinterpret_cast<sockaddr *>(&address), socklen_t{sizeof address});
}

FileDescriptor listen_somewhere(uint16_t &port)
{
	FileDescriptor fd(must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
	must(with_address(bind, fd.get(), loopback(1, 0)), "bind");
	must(listen(fd.get(), 4096), "listen");
	sockaddr_in address = {};
	socklen_t size = sizeof address;
	must(getsockname(fd.get(), reinterpret_cast<sockaddr *>(&address), &size), "getsockname");
	port = ntohs(address.sin_port);
	return fd;
}

/// Connects from 127.0.0.`from`. The socket is nonblocking, and empty if the connection is refused.
FileDescriptor connect_to(uint16_t port, uint8_t from = 1, bool wait = true)
{
	FileDescriptor fd(must(
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0), "socket"));
	const int on = 1;
	setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (from != 1)
		must(with_address(bind, fd.get(), loopback(from, 0)), "bind");
	if (with_address(connect, fd.get(), loopback(1, port)) < 0 && errno != EINPROGRESS)
		return {};
	must(fcntl(fd.get(), F_SETFL, O_NONBLOCK), "fcntl");
	return fd;
}

void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, nullptr, 0);
}

/// hwrngd-egd, and a thread that gives it as many bytes as it wants, with the credit of RDSEED.
class Server {
public:
	Server(const char *program, const std::vector<std::string> &limits)
	{
		auto listener = listen_somewhere(port_);
		std::array<int, 2> ends{};
		must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
		connection_ = FileDescriptor(ends[0]);
		const FileDescriptor theirs(ends[1]);
		std::vector<std::string> words{program, "p"};
		words.insert(words.end(), limits.begin(), limits.end());
		words.insert(words.end(), 3, ""); // no TLS
		std::vector<char *> arguments;
		for (auto &word : words)
			arguments.push_back(word.data());
		arguments.push_back(nullptr);
		pid_ = must(fork(), "fork");
		if (pid_ == 0) {
			const int passed = fcntl(listener.get(), F_DUPFD, 100);
			dup2(theirs.get(), STDIN_FILENO);
			dup2(passed, STDERR_FILENO + 1);
			close_range(STDERR_FILENO + 2, ~0U, 0);
			execv(program, arguments.data());
			_exit(127);
		}
		feeder_ = std::thread([this] { feed(); });
	}
	Server(const Server &) = delete;
	Server &operator=(const Server &) = delete;
	~Server()
	{
		end(pid_);
		feeder_.join();
	}

	[[nodiscard]] uint16_t port() const { return port_; }
	/// A value in KiB of its /proc/PID/status.
	[[nodiscard]] unsigned memory(const std::string &key) const
	{
		std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
		std::string word;
		while (status >> word)
			if (word == key) {
				unsigned kib = 0;
				status >> kib;
				return kib;
			}
		throw std::runtime_error("the server has ended");
	}

private:
	void feed() const
	{
		constexpr size_t piece = 512;
		std::array<uint8_t, sizeof(egd::Portion) + piece> message{};
		const egd::Portion head{.bits = 2 * piece};
		std::memcpy(message.data(), &head, sizeof head);
		egd::Report report;
		while (recv(connection_.get(), &report, sizeof report, 0) == sizeof report) {
			if (report.wants == 0)
				continue;
			static uint64_t counter = 0;
			for (int i = 0; i < 8; i++) {
				counter++;
				std::memcpy(message.data() + sizeof head, &counter, sizeof counter);
				if (send(connection_.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0)
					return;
			}
			const egd::Portion over;
			if (send(connection_.get(), &over, sizeof over, MSG_NOSIGNAL) < 0)
				return;
		}
	}

	uint16_t port_ = 0;
	FileDescriptor connection_;
	pid_t pid_ = 0;
	std::thread feeder_;
};

/// Answers every two bytes with as many bytes as the second one says, without any other work.
class Echo {
public:
	Echo()
	{
		auto listener = listen_somewhere(port_);
		pid_ = must(fork(), "fork");
		if (pid_ > 0)
			return;
		run(listener.get());
		_exit(0);
	}
	Echo(const Echo &) = delete;
	Echo &operator=(const Echo &) = delete;
	~Echo() { end(pid_); }
	[[nodiscard]] uint16_t port() const { return port_; }

private:
	static void run(int listener)
	{
		const int epoll = epoll_create1(EPOLL_CLOEXEC);
		epoll_event event = {.events = EPOLLIN, .data = {.fd = listener}};
		epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
		std::array<epoll_event, 64> events{};
		std::array<uint8_t, 512> in{};
		const std::array<uint8_t, 256> out{};
		while (true) {
			const int n = epoll_wait(epoll, events.data(), events.size(), -1);
			for (int i = 0; i < n; i++) {
				const int fd = events.at(static_cast<size_t>(i)).data.fd;
				if (fd == listener) {
					event.data.fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
					const int on = 1;
					setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
					epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
					continue;
				}
				const auto got = recv(fd, in.data(), in.size(), 0);
				if (got <= 0)
					close(fd);
				for (ssize_t at = 1; at < got; at += 2)
					send(fd, out.data(), in.at(static_cast<size_t>(at)), MSG_NOSIGNAL);
			}
		}
	}

	uint16_t port_ = 0;
	pid_t pid_ = 0;
};

/// Requests per second of all clients. Each asks for `count` bytes (02) as soon as it has the
/// answer to its last request.
double speed(uint16_t port, size_t clients, uint8_t count, std::chrono::duration<double> time)
{
	const std::array<uint8_t, 2> request{2, count};
	const FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
	std::vector<FileDescriptor> sockets;
	std::map<int, size_t> due;
	for (size_t i = 0; i < clients; i++) {
		sockets.push_back(connect_to(port));
		const int fd = sockets.back().get();
		epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
		must(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
	}
	std::vector<size_t> left(static_cast<size_t>(sockets.back().get()) + 1000, count);
	for (const auto &socket : sockets)
		must(static_cast<int>(send(socket.get(), request.data(), 2, MSG_NOSIGNAL)), "send");
	std::array<epoll_event, 64> events{};
	std::array<uint8_t, 256> in{};
	size_t requests = 0;
	const auto begin = Clock::now();
	auto now = begin;
	while (now - begin < time) {
		const int n = must(epoll_wait(epoll.get(), events.data(), events.size(), 1000), "epoll");
		if (n == 0)
			throw std::runtime_error("no answer for a second");
		for (int i = 0; i < n; i++) {
			const int fd = events.at(static_cast<size_t>(i)).data.fd;
			auto &rest = left.at(static_cast<size_t>(fd));
			const int got = must(static_cast<int>(recv(fd, in.data(), in.size(), 0)), "recv");
			if (got == 0)
				throw std::runtime_error("the server hung up");
			rest -= static_cast<size_t>(got);
			if (rest > 0)
				continue;
			requests++;
			rest = count;
			must(static_cast<int>(send(fd, request.data(), 2, MSG_NOSIGNAL)), "send");
		}
		now = Clock::now();
	}
	return static_cast<double>(requests) / std::chrono::duration<double>(now - begin).count();
}

int measure(const char *program)
{
	const Server server(program, {"2000", "2000", "0", "0", "0"});
	const Echo echo;
	for (const size_t clients : {1, 64, 1000}) {
		// In turns, because other programs use the machine too.
		for (const uint8_t count : std::array<uint8_t, 2>{16, 255}) {
			double ours = 0;
			double raw = 0;
			for (int round = 0; round < 3; round++) {
				ours = std::max(ours, speed(server.port(), clients, count, 1s));
				raw = std::max(raw, speed(echo.port(), clients, count, 1s));
			}
			const auto name = fmt::format("{}_bytes_{}_clients", count, clients);
			fmt::print("egd_requests_per_second_{} {:.0f} requests/s\n", name, ours);
			fmt::print("egd_bytes_per_second_{} {:.0f} bytes/s\n", name, ours * count);
			fmt::print("egd_echo_requests_per_second_{} {:.0f} requests/s\n", name, raw);
			fmt::print("egd_share_of_echo_{} {:.2f} of the raw echo's rate\n", name, ours / raw);
		}
	}
	fmt::print("egd_memory_KiB {} KiB (peak)\n", server.memory("VmHWM:"));
	return 0;
}

/// The number of answered requests of honest clients. Each asks for 32 bytes 100 times per second.
size_t honest(const std::vector<FileDescriptor> &clients, std::chrono::seconds time)
{
	constexpr uint8_t count = 32;
	constexpr auto pause = 10ms;
	const std::array<uint8_t, 2> request{2, count};
	std::vector<size_t> due(clients.size(), 0);
	size_t answered = 0;
	std::array<uint8_t, 256> in{};
	auto next = Clock::now();
	for (const auto until = next + time; next < until; next += pause) {
		std::this_thread::sleep_until(next);
		for (size_t i = 0; i < clients.size(); i++) {
			ssize_t got = 0;
			while (due[i] > 0 && (got = recv(clients[i].get(), in.data(), due[i], 0)) > 0)
				due[i] -= static_cast<size_t>(got);
			if (got == 0 && due[i] > 0)
				throw std::runtime_error("the server disconnected an honest client");
			if (due[i] > 0)
				continue;
			answered++;
			due[i] = count;
			must(static_cast<int>(send(clients[i].get(), request.data(), 2, MSG_NOSIGNAL)), "send");
		}
	}
	return answered;
}

/// Keeps 10,000 connections from 40 addresses: floods of 02 ff whose answers are read or not, one
/// byte per second, half closed, or silent. A client that is disconnected connects again.
[[noreturn]] void attack(uint16_t port)
{
	constexpr size_t connections = 10'000;
	enum Kind : size_t { deaf, greedy, slow, half_open, silent, kinds };
	std::array<uint8_t, 128> flood{};
	for (size_t i = 0; i < flood.size(); i += 2) {
		flood.at(i) = 2;
		flood.at(i + 1) = 255;
	}
	std::array<uint8_t, 4096> in{};
	std::vector<FileDescriptor> sockets(connections);
	auto second = Clock::now();
	while (true) {
		const bool once = Clock::now() >= second;
		second += once ? 1s : 0s;
		for (size_t i = 0; i < connections; i++) {
			auto &socket = sockets[i];
			if (!socket) {
				socket = connect_to(port, static_cast<uint8_t>(2 + i % 40), false);
				continue;
			}
			const auto kind = static_cast<Kind>(i % kinds);
			ssize_t done = 1;
			if (kind == deaf || kind == greedy)
				done = send(socket.get(), flood.data(), flood.size(), MSG_NOSIGNAL);
			else if (kind == slow && once)
				done = send(socket.get(), "\3", 1, MSG_NOSIGNAL);
			else if (kind == half_open && once)
				done = shutdown(socket.get(), SHUT_WR);
			if (kind != deaf && (done > 0 || errno == EAGAIN))
				done = recv(socket.get(), in.data(), in.size(), 0);
			if (done == 0 || (done < 0 && errno != EAGAIN && errno != ENOTCONN))
				socket = FileDescriptor();
		}
	}
}

int withstand(const char *program)
{
	constexpr unsigned clients = 1000;
	constexpr unsigned base = 12 * 1024; // KiB: libraries, the pool, the event loop
	constexpr unsigned each = 2;
	// The defaults of hwrngd.conf.
	const Server server(program, {std::to_string(clients), "64", "65536", "1048576", "3600000"});
	std::vector<FileDescriptor> few;
	for (int i = 0; i < 4; i++)
		few.push_back(connect_to(server.port()));
	const auto alone = honest(few, 5s);
	const pid_t attacker = must(fork(), "fork");
	if (attacker == 0)
		attack(server.port());
	std::this_thread::sleep_for(2s);
	const auto attacked = honest(few, 20s) / 4;
	end(attacker);
	const auto most = server.memory("VmHWM:");
	const bool fair = 10 * attacked >= 9 * alone;
	const bool bounded = most <= base + each * clients;
	fmt::print("{} honest requests in 5 s, {} among 10,000 hostile connections: {}\n", alone,
	           attacked, fair ? "ok" : "FAIL, at least 90 % must be answered");
	fmt::print("at most {} KiB in memory, {} are allowed: {}\n", most, base + each * clients,
	           bounded ? "ok" : "FAIL");
	return fair && bounded ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
try {
	std::signal(SIGPIPE, SIG_IGN);
	rlimit files = {};
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	const std::string mode = argc == 3 ? argv[2] : "";
	if (mode == "speed")
		return measure(argv[1]);
	if (mode == "hostile")
		return withstand(argv[1]);
	std::fputs("usage: bench_egd PROGRAM speed|hostile\n", stderr);
	return 2;
} catch (const std::exception &error) {
	std::fputs(error.what(), stderr);
	std::fputs("\n", stderr);
	return 1;
}
