// SPDX-License-Identifier: GPL-2.0-or-later
// For libFuzzer: a server answers an EGD client with whatever it likes, in any pieces, late, or not
// at all. Aborts where a pull gives anything but what came after its own request, or where a client
// goes on with a server that gave it less or more than it asked for.
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

	/// The other end of a connection, on which there is always something to read: so nobody waits.
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

/// What the fuzzer thinks of, byte by byte; then nothing but hanging up.
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

/// What has passed over the newest connection.
struct Seen {
	unsigned connections = 0;
	bool open = false;
	std::vector<uint8_t> asked;    ///< requests
	std::vector<uint8_t> answered; ///< since the newest request was whole
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
	/// 0 hangs up, the last numbers are errors, all others are bytes.
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

/// 00, and then 02 with a number, again and again: nothing else is ever asked for.
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
