// SPDX-License-Identifier: GPL-2.0-or-later
#include "status/ask.h"

#include "base/interrupt.h"
#include "base/unix_socket.h"
#include "control/config.h"

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <csignal>

#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t most_bytes = size_t{1} << 20U;
constexpr std::chrono::seconds patience{5}; // for the whole answer

/// Returns no descriptor if no daemon is running.
Result<FileDescriptor> connect_to_daemon(const Root &root)
{
	const auto config = read_config(root);
	if (!config)
		return std::unexpected(config.error());
	if (config->status_socket.empty())
		return FileDescriptor();
	auto fd = connect_unix(root.at(config->status_socket).string(), SOCK_STREAM);
	if (!fd && fd.error().code == ExitCode::no_source)
		return FileDescriptor();
	return fd;
}

} // namespace

Result<std::optional<DaemonStatus>> ask_daemon(const Root &root)
{
	const auto fd = connect_to_daemon(root);
	if (!fd)
		return std::unexpected(fd.error());
	if (!*fd)
		return std::nullopt;
	const auto no_answer = [](const std::string &why) { return fail(ExitCode::unavailable, why); };
	std::string text;
	std::array<char, 65536> buffer{};
	for (const auto until = Clock::now() + patience;;) {
		const auto n = ::read(fd->get(), buffer.data(), buffer.size());
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR && interrupted() == 0)
			continue; // for example, the terminal was resized
		if (n < 0)
			return no_answer(errno == EAGAIN ? "hwrngd did not send its status in time"
			                                 : fmt::format("cannot read hwrngd's status: {}",
			                                               std::generic_category().message(errno)));
		text.append(buffer.data(), static_cast<size_t>(n));
		if (text.size() > most_bytes)
			return no_answer("hwrngd's status is larger than 1 MiB");
		if (Clock::now() > until)
			return no_answer("hwrngd did not finish its status within 5 s");
	}
	if (text.empty())
		return no_answer(
		    "hwrngd closed the connection without sending its status: it is exiting, or "
		    "too many programs are connected");
	auto status = status_from_json(nlohmann::ordered_json::parse(text, nullptr, false));
	if (!status)
		return no_answer("hwrngd's status has a format that this version does not know");
	return status;
}

Result<bool> reload_daemon(const Root &root)
{
	const auto fd = connect_to_daemon(root);
	if (!fd)
		return std::unexpected(fd.error());
	if (!*fd)
		return false;
	struct ucred daemon = {}; // unix(7), SO_PEERCRED: the process that listens
	socklen_t size = sizeof daemon;
	if (getsockopt(fd->get(), SOL_SOCKET, SO_PEERCRED, &daemon, &size) < 0)
		return fail_errno(errno, "SO_PEERCRED");
	// 0 means that the daemon is in another PID namespace; kill(2) of 0 would signal ourselves.
	if (daemon.pid <= 0)
		return fail(ExitCode::unavailable,
		            "hwrngd runs outside of this container; reload it there");
	if (::kill(daemon.pid, SIGHUP) < 0)
		return fail_errno(errno, fmt::format("SIGHUP for hwrngd (pid {})", daemon.pid));
	return true;
}

} // namespace hwrngd
