// SPDX-License-Identifier: GPL-2.0-or-later
// `ssh-serve`: sshd(8) runs this for a client's key, whatever the client requests. It returns bytes
// of the daemon, or says why not.
#include "base/secret_buffer.h"
#include "base/unix_socket.h"
#include "command/ssh_setup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <span>
#include <string_view>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr size_t most_bytes = 512;

/// The number of bytes that the client requests, in plain decimal without leading zeros.
Result<size_t> requested_bytes()
{
	const char *const given = std::getenv("SSH_ORIGINAL_COMMAND");
	const std::string_view text(given != nullptr ? given : "");
	size_t bytes = 0;
	const auto *const end = text.begin() + text.size();
	const auto [last, error] = std::from_chars(text.begin(), end, bytes);
	if (error != std::errc() || last != end || text.starts_with('0') || bytes > most_bytes)
		return fail(ExitCode::bad_request,
		            fmt::format("ssh-serve returns random bytes: request a number of "
		                        "bytes, 1 to {}, and nothing else",
		                        most_bytes));
	return bytes;
}

/// The recent use of a client, in a file that only the account may change. The file holds the time
/// since boot at which the client has "paid" for its bytes at its rate. This time may lie ahead by
/// one second, or by one request.
class Allowance {
public:
	Allowance(uint64_t rate, std::string boot) : rate_(rate), boot_(std::move(boot)) {}

	/// Waits for the lock. Other processes for this client wait until unlock().
	Result<void> lock(const std::string &client)
	{
		const char *const state = std::getenv("XDG_STATE_HOME");
		const char *const home = std::getenv("HOME");
		fs::path folder;
		if (state != nullptr && *state == '/')
			folder = state;
		else if (home != nullptr && *home == '/')
			folder = fs::path(home) / ".local/state";
		else
			return fail(ExitCode::io_error, "neither HOME nor XDG_STATE_HOME names a folder");
		folder /= "hwrngd";
		std::error_code failed;
		fs::create_directories(folder, failed);
		if (failed)
			return fail_errno(failed.value(), folder.string());
		name_ = (folder / ("ssh-" + client)).string();
		file_ =
		    FileDescriptor(::open(name_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
		if (!file_ || flock(file_.get(), LOCK_EX) < 0)
			return fail_errno(errno, name_);
		return read();
	}

	void unlock() { file_ = FileDescriptor(); }

	/// Fails with ExitCode::try_later if `bytes` more would exceed the rate.
	[[nodiscard]] Result<void> allows(size_t bytes) const
	{
		const auto wait = busy_ + time_of(bytes) - std::max(burst(), time_of(most_bytes));
		if (wait <= 0ns)
			return {};
		return fail(
		    ExitCode::try_later,
		    fmt::format("ssh-serve gives this client {} bytes per second; try again in {} s", rate_,
		                std::chrono::ceil<std::chrono::seconds>(wait).count()));
	}

	/// Records that the client got `bytes`.
	Result<void> charge(size_t bytes)
	{
		const auto text =
		    fmt::format("{:<40} {:020}\n", boot_, (now_ + busy_ + time_of(bytes)).count());
		// Always the same length, so that the file is complete even if this process is killed.
		if (::pwrite(file_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
			return fail_errno(errno, name_);
		return {};
	}

private:
	[[nodiscard]] std::chrono::nanoseconds time_of(size_t bytes) const
	{
		return std::chrono::nanoseconds(bytes * std::chrono::nanoseconds(1s).count() / rate_);
	}
	[[nodiscard]] static std::chrono::nanoseconds burst() { return 1s; }

	Result<void> read()
	{
		struct timespec since_boot = {};
		if (clock_gettime(CLOCK_BOOTTIME, &since_boot) < 0)
			return fail_errno(errno, "CLOCK_BOOTTIME");
		now_ =
		    std::chrono::seconds(since_boot.tv_sec) + std::chrono::nanoseconds(since_boot.tv_nsec);
		std::array<char, 128> text{};
		const auto n = ::pread(file_.get(), text.data(), text.size(), 0);
		if (n < 0)
			return fail_errno(errno, name_);
		const std::string_view record(text.data(), static_cast<size_t>(n));
		const auto boot = fmt::format("{:<40} ", boot_);
		// The record is from another boot, or is empty: the client has no recent use.
		if (!record.starts_with(boot))
			return {};
		int64_t until = 0;
		const auto digits = record.substr(boot.size());
		std::from_chars(digits.begin(), digits.begin() + digits.size(), until);
		busy_ = std::clamp(std::chrono::nanoseconds(until) - now_, 0ns,
		                   std::max(burst(), time_of(most_bytes)));
		return {};
	}

	uint64_t rate_;
	std::string boot_;
	std::string name_;
	FileDescriptor file_;
	std::chrono::nanoseconds now_{};
	std::chrono::nanoseconds busy_{};
};

/// Connects to the EGD server at `from`, or to the first of the usual ones that exists.
Result<FileDescriptor> connect_to_server(const Context &context, const std::string &from)
{
	constexpr std::string_view local = "unix:";
	if (!from.empty()) {
		if (!from.starts_with(local))
			return fail(ExitCode::usage, fmt::format("--from {}: must be unix:/PATH", from));
		return connect_unix(from.substr(local.size()), SOCK_STREAM);
	}
	for (const auto *const path : egd_sockets)
		if (auto fd = connect_unix(context.root.at(path).string(), SOCK_STREAM);
		    fd || fd.error().code != ExitCode::no_source)
			return fd;
	return fail(
	    ExitCode::unavailable,
	    "hwrngd's EGD server is not running on this host: its administrator can start it with "
	    "`systemctl enable --now hwrngd-egd.socket`, or with `listen` in the table [egd] of "
	    "hwrngd.conf(5)");
}

Result<void> receive(int fd, std::span<uint8_t> out)
{
	while (!out.empty()) {
		const auto n = ::recv(fd, out.data(), out.size(), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(errno, "hwrngd's EGD server");
		if (n == 0)
			return fail(ExitCode::unavailable, "hwrngd's EGD server closed the connection");
		out = out.subspan(static_cast<size_t>(n));
	}
	return {};
}

/// Reads bytes that the daemon has ready, with command 01 of EGD. Returns fewer than `out` holds if
/// fewer are ready.
Result<size_t> take(int fd, std::span<uint8_t> out)
{
	constexpr size_t most_of_a_request = 255;
	size_t got = 0;
	while (got < out.size()) {
		const auto count = std::min(out.size() - got, most_of_a_request);
		const std::array<uint8_t, 2> request{1, static_cast<uint8_t>(count)};
		if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
		    static_cast<ssize_t>(request.size()))
			return fail_errno(errno, "hwrngd's EGD server");
		std::array<uint8_t, 1> length{};
		if (auto received = receive(fd, length); !received)
			return std::unexpected(received.error());
		if (length[0] > count)
			return fail(ExitCode::io_error,
			            "hwrngd's EGD server returned more bytes than requested");
		if (length[0] == 0)
			break;
		if (auto received = receive(fd, out.subspan(got, length[0])); !received)
			return std::unexpected(received.error());
		got += length[0];
	}
	if (got == 0)
		return fail(ExitCode::try_later,
		            "hwrngd has no bytes ready for other machines; try again later");
	return got;
}

/// Writes without stdio, which would keep a copy.
Result<void> print(std::span<const uint8_t> bytes)
{
	while (!bytes.empty()) {
		const auto n = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(errno, "standard output");
		bytes = bytes.subspan(static_cast<size_t>(n));
	}
	return {};
}

} // namespace

Result<ExitCode> ssh_serve_command(const Context &context, const SshServeOptions &options)
{
	if (auto checked = check_name(options.client); !checked)
		return std::unexpected(checked.error());
	const auto requested = requested_bytes();
	if (!requested)
		return std::unexpected(requested.error());
	Allowance allowance(
	    options.rate,
	    context.root.read_if_any("/proc/sys/kernel/random/boot_id").value_or("unknown"));
	if (options.rate > 0) {
		if (auto locked = allowance.lock(options.client); !locked)
			return std::unexpected(locked.error());
		if (auto allowed = allowance.allows(*requested); !allowed)
			return std::unexpected(allowed.error());
	}
	const auto server = connect_to_server(context, options.from);
	if (!server)
		return std::unexpected(server.error());
	SecretBuffer buffer(*requested);
	const auto got = take(server->get(), buffer.span());
	if (!got)
		return std::unexpected(got.error());
	if (options.rate > 0) {
		if (auto charged = allowance.charge(*got); !charged)
			return std::unexpected(charged.error());
		allowance.unlock(); // before writing to the client, which may be slow
	}
	if (auto printed = print(buffer.span().first(*got)); !printed)
		return std::unexpected(printed.error());
	return ExitCode::done;
}

} // namespace hwrngd
