// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/program.h"

#include "file_descriptor.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include <fmt/ranges.h>

namespace hwrngd {

namespace {

using namespace std::chrono_literals;

Result<int> wait_for(pid_t pid, const std::string &name)
{
	int status = 0;
	while (::waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(errno, name);
	return status;
}

class Child final : public Program {
public:
	Child(std::string name, pid_t pid, FileDescriptor output)
	    : name_(std::move(name)), pid_(pid), output_(std::move(output))
	{
	}
	Child(const Child &) = delete;
	Child &operator=(const Child &) = delete;
	~Child() override
	{
		if (pid_ > 0) [[maybe_unused]] // nobody is left who would ask for it
			const auto status = end();
	}

	[[nodiscard]] int output() const override { return output_.get(); }

	[[nodiscard]] Result<int> end() override
	{
		constexpr auto grace = 200ms;
		constexpr auto slice = 10ms;
		const auto pid = std::exchange(pid_, -1);
		output_ = FileDescriptor();
		// That the group has gone already is no error, and waitpid(2) tells of all others.
		::kill(-pid, SIGTERM);
		for (auto waited = 0ms; waited < grace; waited += slice) {
			siginfo_t ended = {};
			if (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT) < 0)
				return fail_errno(errno, name_);
			if (ended.si_pid != 0)
				break;
			std::this_thread::sleep_for(slice);
		}
		// Before it is waited for, so that the group's number cannot be another's yet.
		::kill(-pid, SIGKILL);
		return wait_for(pid, name_);
	}

private:
	std::string name_;
	pid_t pid_;
	FileDescriptor output_;
};

/// What posix_spawn(3) wants to know, given back in the end. The first error stays.
class Spawning {
public:
	Spawning()
	{
		note(posix_spawn_file_actions_init(&actions_));
		if (error_ == 0)
			note(posix_spawnattr_init(&attributes_));
	}
	Spawning(const Spawning &) = delete;
	Spawning &operator=(const Spawning &) = delete;
	~Spawning()
	{
		posix_spawn_file_actions_destroy(&actions_);
		posix_spawnattr_destroy(&attributes_);
	}

	/// Starts a program whose descriptor `its` is our `output`. Returns an errno value, or 0.
	[[nodiscard]] int spawn(const std::vector<std::string> &words, int output, int its, pid_t &pid)
	{
		sigset_t none;
		sigset_t all;
		sigemptyset(&none);
		sigfillset(&all);
		note(posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
		note(posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0));
		note(posix_spawn_file_actions_adddup2(&actions_, output, its));
		note(posix_spawnattr_setsigmask(&attributes_, &none));
		note(posix_spawnattr_setsigdefault(&attributes_, &all));
		note(posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
		                                                POSIX_SPAWN_SETSIGDEF));
		auto copies = words; // which execve(2) could change
		std::vector<char *> arguments;
		arguments.reserve(copies.size() + 1);
		for (auto &word : copies)
			arguments.push_back(word.data());
		arguments.push_back(nullptr);
		if (error_ == 0)
			note(posix_spawnp(&pid, arguments.front(), &actions_, &attributes_, arguments.data(),
			                  environ));
		return error_;
	}

private:
	void note(int error) { error_ = error_ != 0 ? error_ : error; }

	posix_spawn_file_actions_t actions_{};
	posix_spawnattr_t attributes_{};
	int error_ = 0;
};

} // namespace

std::string quoted(const std::vector<std::string> &words)
{
	return fmt::format("`{}`", fmt::join(words, " "));
}

Result<std::unique_ptr<Program>> start_program(const std::vector<std::string> &words)
{
	const auto name = quoted(words);
	std::array<int, 2> ends{};
	if (pipe2(ends.data(), O_CLOEXEC) < 0)
		return fail_errno(errno, name);
	FileDescriptor output(ends[0]);
	const FileDescriptor input(ends[1]);
	if (fcntl(output.get(), F_SETFL, O_NONBLOCK) < 0)
		return fail_errno(errno, name);
	pid_t pid = -1;
	if (const int error = Spawning().spawn(words, input.get(), STDOUT_FILENO, pid); error != 0)
		return fail_errno(error, name);
	return std::make_unique<Child>(name, pid, std::move(output));
}

Result<Ended> run_program(const std::vector<std::string> &words)
{
	const auto name = quoted(words);
	std::array<int, 2> ends{};
	if (pipe2(ends.data(), O_CLOEXEC) < 0)
		return fail_errno(errno, name);
	const FileDescriptor complaints(ends[0]);
	FileDescriptor input(ends[1]);
	pid_t pid = -1;
	if (const int error = Spawning().spawn(words, input.get(), STDERR_FILENO, pid); error != 0)
		return fail_errno(error, name);
	input = FileDescriptor();
	Ended ended;
	std::array<char, 4096> text{};
	ssize_t n = 0;
	while ((n = ::read(complaints.get(), text.data(), text.size())) != 0) {
		if (n < 0 && errno != EINTR)
			return fail_errno(errno, name);
		ended.complaint.append(text.data(), static_cast<size_t>(std::max<ssize_t>(n, 0)));
	}
	const auto status = wait_for(pid, name);
	if (!status)
		return std::unexpected(status.error());
	ended.status = *status;
	return ended;
}

} // namespace hwrngd
