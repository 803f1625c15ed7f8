// SPDX-License-Identifier: GPL-2.0-or-later
// For libFuzzer: a server sends any answer to an EGD client, in any pieces, late, or not at all.
// Aborts if a pull returns anything but the bytes that came after its own request, or if a client
// keeps the connection after an answer that was too short or too long.
#include "egd/egd_peer.h"

#include "base/file_descriptor.h"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

using namespace hwrngd;

namespace {

void must(bool good)
{
	if (!good)
		std::abort();
}

/// A listening socket, so that the client's connect(2) is a real one.
class Server {
public:
	Server() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
	{
		std::string folder = "/tmp/hwrngd-fuzz-XXXXXX";
		must(::mkdtemp(folder.data()) != nullptr);
		folder_ = folder;
		path_ = folder + "/egd";
		struct sockaddr_un at = {};
		at.sun_family = AF_UNIX;
		std::ranges::copy(path_, &at.sun_path[0]);
		must(::bind(socket_.get(), reinterpret_cast<struct sockaddr *>(&at), sizeof at) == 0);
		must(::listen(socket_.get(), 1) == 0);
	}
	~Server() { std::filesystem::remove_all(folder_); }

	/// Returns the other end of a connection. It always has a byte to read, so that poll(2) never
	/// waits.
	FileDescriptor accept()
	{
		FileDescriptor fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
		must(static_cast<bool>(fd) && ::send(fd.get(), "x", 1, MSG_NOSIGNAL) == 1);
		return fd;
	}
	[[nodiscard]] const std::string &path() const { return path_; }

private:
	FileDescriptor socket_;
	std::string folder_;
	std::string path_;
};

/// The bytes of the fuzzer, one by one, and then zeros, which close the connection.
struct Script {
	std::span<const uint8_t> rest;

	uint8_t next()
	{
		if (rest.empty())
			return 0;
		const auto first = rest.front();
		rest = rest.subspan(1);
		return first;
	}
};

/// The bytes that passed through the newest connection.
struct Seen {
	unsigned connections = 0;
	bool open = false;
	std::vector<uint8_t> asked;    ///< requests
	std::vector<uint8_t> answered; ///< since the newest request was complete
};

class ScriptedLink : public EgdLink {
public:
	ScriptedLink(int socket, FileDescriptor other, Script &script, Seen &seen)
	    : EgdLink(socket), other_(std::move(other)), script_(script), seen_(seen)
	{
		seen_ = {.connections = seen_.connections + 1, .open = true, .asked = {}, .answered = {}};
	}
	~ScriptedLink() override { seen_.open = false; }

	[[nodiscard]] ssize_t receive(std::span<uint8_t> out) override
	{
		const auto verb = script_.next();
		if (const auto wrong = trouble_of(verb))
			return *wrong;
		const auto n = std::min<size_t>(out.size(), verb);
		for (auto &byte : out.first(n))
			byte = script_.next();
		seen_.answered.insert(seen_.answered.end(), out.begin(),
		                      out.begin() + static_cast<ptrdiff_t>(n));
		return static_cast<ssize_t>(n);
	}
	[[nodiscard]] ssize_t send(std::span<const uint8_t> bytes) override
	{
		const auto verb = script_.next();
		if (const auto wrong = trouble_of(verb); wrong && *wrong < 0)
			return *wrong;
		const auto n = std::clamp<size_t>(verb, 1, bytes.size());
		seen_.asked.insert(seen_.asked.end(), bytes.begin(),
		                   bytes.begin() + static_cast<ptrdiff_t>(n));
		if (n == bytes.size())
			seen_.answered.clear();
		return static_cast<ssize_t>(n);
	}

private:
	/// 0 closes the connection, the highest numbers are errors, all others are lengths.
	static std::optional<ssize_t> trouble_of(uint8_t verb)
	{
		constexpr std::array errors{EAGAIN, EINPROGRESS, EINTR, ECONNRESET, EPROTO, EPIPE};
		constexpr size_t first = 256 - errors.size();
		if (verb == 0)
			return 0;
		if (verb < first)
			return std::nullopt;
		errno = errors.at(verb - first);
		return -1;
	}

	FileDescriptor other_;
	Script &script_;
	Seen &seen_;
};

/// Checks that the client sends nothing but 00, and then 02 with a number again and again.
void must_be_requests(const std::vector<uint8_t> &asked)
{
	for (size_t i = 0; i < asked.size(); i++)
		must(i == 0 ? asked[i] == 0 : i % 2 == 0 ? asked[i] >= 1 : asked[i] == 2);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Server server;
	Script script{{data, size}};
	Seen seen;
	const auto peer =
	    egd_peer({.tls = false, .path = server.path(), .host = "", .port = 0}, [&](int socket) {
		    return std::make_unique<ScriptedLink>(socket, server.accept(), script, seen);
	    });
	std::array<uint8_t, Peer::most_at_once> out{};
	while (!script.rest.empty()) {
		const size_t wanted = 1 + script.next();
		const size_t most = std::min<size_t>(wanted, 255);
		const auto got = peer->pull(std::span(out).first(wanted), std::chrono::seconds(1));
		must_be_requests(seen.asked);
		if (!got) {
			must(!seen.open);
			continue;
		}
		must(*got >= 1 && *got <= most && seen.answered.size() == *got);
		must(std::equal(seen.answered.begin(), seen.answered.end(), out.begin()));
		must(seen.open == (*got == most));
	}
	return 0;
}
