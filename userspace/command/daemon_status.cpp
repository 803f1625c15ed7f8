// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/daemon_status.h"

#include "config.h"
#include "file_descriptor.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cstring>

namespace hwrngd {

namespace {

constexpr size_t most_bytes = size_t{1} << 20U;
constexpr timeval patience{.tv_sec = 2, .tv_usec = 0};

/// A socket connected to `path`; no descriptor when nobody listens there.
Result<FileDescriptor> connect_to(const std::string &path)
{
	sockaddr_un address = {};
	address.sun_family = AF_UNIX;
	if (path.size() >= sizeof address.sun_path)
		return fail(ExitCode::usage, fmt::format("{}: too long for a socket", path));
	std::memcpy(&address.sun_path[0], path.data(), path.size());
	FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	if (!fd)
		return fail_errno(errno, "socket");
	for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
		if (setsockopt(fd.get(), SOL_SOCKET, option, &patience, sizeof patience) < 0)
			return fail_errno(errno, "setsockopt");
	if (connect(fd.get(), reinterpret_cast<const sockaddr *>(&address), // NOLINT: as the API wants
	            sizeof address) == 0)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		return FileDescriptor();
	return fail_errno(errno, path);
}

} // namespace

Result<nlohmann::ordered_json> ask_daemon(const Root &root)
{
	const auto config = read_config(root);
	if (!config)
		return std::unexpected(config.error());
	if (config->status_socket.empty())
		return nullptr;
	const auto path = root.at(config->status_socket).string();
	const auto fd = connect_to(path);
	if (!fd)
		return std::unexpected(fd.error());
	if (!*fd)
		return nullptr;
	const auto no_answer = [&](const std::string &why) {
		return fail(ExitCode::unavailable, fmt::format("{}: hwrngd {}", path, why));
	};
	std::string text;
	std::array<char, 65536> buffer{};
	ssize_t n = 0;
	while ((n = ::read(fd->get(), buffer.data(), buffer.size())) > 0) {
		text.append(buffer.data(), static_cast<size_t>(n));
		if (text.size() > most_bytes)
			return no_answer("says more than anybody wants to know");
	}
	if (n < 0)
		return no_answer(
		    fmt::format("does not answer: {}", std::generic_category().message(errno)));
	auto document = nlohmann::ordered_json::parse(text, nullptr, false);
	if (document.is_discarded() || !document.is_object() || document.value("schema", 0) != 1)
		return no_answer("answers in a way that this version does not know");
	return document;
}

} // namespace hwrngd
