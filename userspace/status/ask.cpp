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
constexpr std::chrono::seconds patience{5}; // with all of an answer

/// No descriptor when no daemon runs.
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
	const auto no_answer = [&](const std::string &why) {
		return fail(ExitCode::unavailable, fmt::format("hwrngd, asked for its status, {}", why));
	};
	std::string text;
	std::array<char, 65536> buffer{};
	for (const auto until = Clock::now() + patience;;) {
		const auto n = ::read(fd->get(), buffer.data(), buffer.size());
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR && interrupted() == 0)
			continue; // we were stopped, say, or the terminal was resized
		if (n < 0)
			return no_answer(errno == EAGAIN ? "says nothing"
			                                 : fmt::format("does not answer: {}",
			                                               std::generic_category().message(errno)));
		text.append(buffer.data(), static_cast<size_t>(n));
		if (text.size() > most_bytes)
			return no_answer("says more than anybody wants to know");
		if (Clock::now() > until)
			return no_answer("does not come to an end");
	}
	if (text.empty())
		return no_answer("hung up"); // it ends, or has too many who ask
	auto status = status_from_json(nlohmann::ordered_json::parse(text, nullptr, false));
	if (!status)
		return no_answer("answers in a way that this version does not know");
	return status;
}

Result<bool> reload_daemon(const Root &root)
{
	const auto fd = connect_to_daemon(root);
	if (!fd)
		return std::unexpected(fd.error());
	if (!*fd)
		return false;
	struct ucred daemon = {}; // unix(7), SO_PEERCRED: who listens
	socklen_t size = sizeof daemon;
	if (getsockopt(fd->get(), SOL_SOCKET, SO_PEERCRED, &daemon, &size) < 0)
		return fail_errno(errno, "SO_PEERCRED");
	// Of another PID namespace than ours; and to 0, kill(2) would signal ourselves.
	if (daemon.pid <= 0)
		return fail(ExitCode::unavailable,
		            "hwrngd runs outside of this container; reload it there");
	if (::kill(daemon.pid, SIGHUP) < 0)
		return fail_errno(errno, fmt::format("SIGHUP for hwrngd (pid {})", daemon.pid));
	return true;
}

} // namespace hwrngd
