// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/egd_process.h"

#include "base/log.h"
#include "egd/egd_arguments.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

// The pauses before it is started again: the first one, and the longest one if it keeps dying.
constexpr std::chrono::seconds first_pause = 1s;
constexpr std::chrono::seconds longest_pause = 60s;
// A server that ran for this long gets the first pause again.
constexpr auto long_enough = 60s;

/// The command line of the server.
std::vector<std::string> words_of(const std::filesystem::path &program, const EgdConfig &config,
                                  const std::string &kinds)
{
	const EgdArguments arguments{.kinds = kinds,
	                             .max_clients = config.max_clients,
	                             .max_clients_per_address = config.max_clients_per_address,
	                             .bytes_per_second = config.bytes_per_second,
	                             .total_bytes_per_second = config.total_bytes_per_second,
	                             .idle = config.idle_seconds,
	                             .tls_certificate = config.tls_certificate,
	                             .tls_key = config.tls_key,
	                             .tls_client_ca = config.tls_client_ca};
	auto words = arguments.to_words();
	words.insert(words.begin(), program.string());
	return words;
}

/// Makes the connection standard input, and puts the listeners after standard error. Closes all
/// other descriptors.
[[nodiscard]] bool arrange(FileDescriptor connection, std::vector<FileDescriptor> listeners)
{
	const int first = STDERR_FILENO + 1;
	const int end = first + static_cast<int>(listeners.size());
	// First move them all to high numbers, so that none is overwritten below.
	std::vector<FileDescriptor> all;
	all.reserve(listeners.size() + 1);
	listeners.insert(listeners.begin(), std::move(connection));
	for (const auto &fd : listeners)
		all.emplace_back(fcntl(fd.get(), F_DUPFD_CLOEXEC, end));
	for (size_t i = 0; i < all.size(); i++) {
		const int place = i == 0 ? STDIN_FILENO : first + static_cast<int>(i) - 1;
		if (!all[i] || dup2(all[i].get(), place) < 0)
			return false;
	}
	for (auto &fd : listeners) // these numbers now name other descriptors, so do not close them
		if (fd.get() < end) [[maybe_unused]]
			const int number = fd.release();
	return close_range(static_cast<unsigned>(end), ~0U, 0) == 0;
}

/// Makes programs that are executed from now on run without rights, and as `user` if this is root.
[[nodiscard]] Result<void> pass_on_no_rights(const std::optional<User> &user)
{
	if (geteuid() == 0)
		return give_up_rights(user, {});
	// If this is not root, only ambient capabilities survive execve(2). capset(2) is not an option:
	// the service manager's filter kills a process that calls it.
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return fail_errno(errno, "cannot give up capabilities (prctl)");
	return {};
}

/// How a process ended, for a message.
std::string death_of(int status)
{
	if (WIFSIGNALED(status))
		return fmt::format("was killed by signal {} ({})", WTERMSIG(status),
		                   strsignal(WTERMSIG(status)));
	return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

/// The body of the process that keeps the server running: returns when the daemon ends, or when the
/// server exits successfully.
void keep(const std::vector<std::string> &arguments)
{
	std::vector<char *> words;
	words.reserve(arguments.size() + 1);
	for (const auto &argument : arguments)
		// NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): execv(3) changes nothing
		words.push_back(const_cast<char *>(argument.c_str()));
	words.push_back(nullptr);
	auto pause = first_pause;
	while (true) {
		const auto started = std::chrono::steady_clock::now();
		const pid_t pid = fork();
		if (pid == 0) {
			execv(words.front(), words.data());
			std::_Exit(127);
		}
		int status = 0;
		if (pid > 0)
			while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
				;
		if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return;
		if (std::chrono::steady_clock::now() - started >= long_enough)
			pause = first_pause;
		struct pollfd daemon = {.fd = STDIN_FILENO, .events = 0, .revents = 0};
		const bool daemon_ended = poll(&daemon, 1, 0) > 0;
		if (daemon_ended)
			return;
		log(Priority::error, Event::egd_died,
		    fmt::format("the EGD server {}; it is started again in {} s",
		                pid > 0 ? death_of(status) : "cannot be started", pause.count()));
		if (poll(&daemon, 1, static_cast<int>(std::chrono::milliseconds(pause).count())) > 0)
			return;
		pause = std::min(2 * pause, longest_pause);
	}
}

} // namespace

Result<FileDescriptor> start_egd_server(const std::filesystem::path &program,
                                        const EgdConfig &config, EgdSockets sockets,
                                        const std::optional<User> &user)
{
	std::array<int, 2> ends{};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0)
		return fail_errno(errno, "socketpair");
	FileDescriptor ours(ends[0]);
	FileDescriptor theirs(ends[1]);
	if (access(program.c_str(), X_OK) < 0)
		return fail_errno(errno, program.string());
	const pid_t pid = fork();
	if (pid < 0)
		return fail_errno(errno, "fork");
	if (pid > 0)
		return ours;
	ours = FileDescriptor();
	prctl(PR_SET_NAME, "hwrngd-egd-keep"); // for ps(1); it does not matter if this fails
	// It ends with the daemon, so signals to the whole group must not end it earlier.
	for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE})
		std::signal(number, SIG_IGN);
	std::signal(SIGCHLD, SIG_DFL);
	const auto arguments = words_of(program, config, sockets.kinds);
	auto &all = sockets.listeners;
	std::ranges::move(sockets.files, std::back_inserter(all));
	if (!arrange(std::move(theirs), std::move(all))) {
		log(Priority::error, Event::egd_died,
		    fail_errno(errno, "the EGD server cannot be started").error().message);
		std::_Exit(1);
	}
	// For the server, which no longer has the right to do this. The server reports a failure.
	[[maybe_unused]] const auto locked = lock_memory();
	if (const auto gave_up = pass_on_no_rights(user); !gave_up) {
		log(Priority::error, Event::egd_died, gave_up.error().message);
		std::_Exit(1);
	}
	keep(arguments);
	std::_Exit(0);
}

} // namespace hwrngd
