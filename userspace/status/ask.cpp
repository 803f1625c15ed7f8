// SPDX-License-Identifier: GPL-2.0-or-later
#include "status/ask.h"

#include "base/interrupt.h"
#include "base/unix_socket.h"
#include "control/config.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>

namespace hwrngd {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr size_t most_bytes = size_t{1} << 20U;
constexpr std::chrono::seconds patience{5}; // with all of an answer

/// What commands look at and take for granted: the types in an answer (status/status.schema.json).
constexpr const char *types = R"({
	"schema": 1, "version": "", "pid": 1, "started": 1, "feeds": 1,
	"sources": [{"name": "", "kind": "", "claim": 1, "use": "", "state": "", "bytes_read": 1,
		"bytes_fed": 1, "credited_bits": 1, "read_errors": 1, "worst_latency_ms": 1,
		"fips_blocks": 1, "fips_failures": 1, "latency": {"reads": 1, "sum": 1},
		"path": [{"time": 1, "from": "", "to": "", "reason": ""}]}]})";
/// And in its "egd", where that is not null.
constexpr const char *egd_types =
    R"({"clients": 1, "bytes_served": 1, "available": 1, "refused": 1})";

/// Whether what both have is of the same types; of an array, `like` has one element.
bool is_like(const Json &value, const Json &like)
{
	if (like.is_number())
		return value.is_number();
	if (value.type() != like.type())
		return false;
	if (like.is_array())
		return std::ranges::all_of(
		    value, [&](const Json &element) { return is_like(element, like.front()); });
	if (!like.is_object())
		return true;
	return std::ranges::all_of(like.items(), [&](const auto &item) {
		const auto found = value.find(item.key());
		return found == value.end() || is_like(*found, item.value());
	});
}

bool is_status(const Json &document)
{
	if (!is_like(document, Json::parse(types)) || document.value("schema", 0) != 1)
		return false;
	const auto egd = document.value("egd", Json(nullptr));
	return egd.is_null() || is_like(egd, Json::parse(egd_types));
}

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

Result<Json> ask_daemon(const Root &root)
{
	const auto fd = connect_to_daemon(root);
	if (!fd)
		return std::unexpected(fd.error());
	if (!*fd)
		return nullptr;
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
	auto document = Json::parse(text, nullptr, false);
	if (!is_status(document))
		return no_answer("answers in a way that this version does not know");
	return document;
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
