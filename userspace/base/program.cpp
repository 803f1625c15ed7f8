// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/program.h"

#include "base/file_descriptor.h"
#include "base/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
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
		if (pid_ > 0) [[maybe_unused]] // no caller is left to handle an error
			const auto status = end();
	}

	[[nodiscard]] int output() const override { return output_.get(); }

	[[nodiscard]] Result<int> end() override
	{
		constexpr auto grace = 200ms;
		constexpr auto slice = 10ms;
		const auto pid = std::exchange(pid_, -1);
		output_ = FileDescriptor();
		// Ignore the result: the group may be gone already, and waitpid(2) reports other errors.
		::kill(-pid, SIGTERM);
		for (auto waited = 0ms; waited < grace; waited += slice) {
			siginfo_t ended = {};
			if (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT) < 0)
				return fail_errno(errno, name_);
			if (ended.si_pid != 0)
				break;
			std::this_thread::sleep_for(slice);
		}
		// Before waitpid(2): until then the group's number cannot be reused by another process.
		::kill(-pid, SIGKILL);
		return wait_for(pid, name_);
	}

private:
	std::string name_;
	pid_t pid_;
	FileDescriptor output_;
};

/// Owns the attributes of a posix_spawn(3). Keeps the first error.
class Spawner {
public:
	Spawner()
	{
		note(posix_spawn_file_actions_init(&actions_));
		if (error_ == 0)
			note(posix_spawnattr_init(&attributes_));
	}
	Spawner(const Spawner &) = delete;
	Spawner &operator=(const Spawner &) = delete;
	~Spawner()
	{
		posix_spawn_file_actions_destroy(&actions_);
		posix_spawnattr_destroy(&attributes_);
	}

	/// The program gets our descriptor `ours` as its descriptor `theirs`.
	Spawner &pass(int ours, int theirs)
	{
		passed_.emplace_back(ours, theirs);
		return *this;
	}

	/// Starts a program. Returns an errno value, or 0.
	[[nodiscard]] int spawn(const std::vector<std::string> &words, pid_t &pid)
	{
		sigset_t none;
		sigset_t all;
		sigemptyset(&none);
		sigfillset(&all);
		note(posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
		note(posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0));
		for (const auto &[ours, theirs] : passed_)
			note(posix_spawn_file_actions_adddup2(&actions_, ours, theirs));
		note(posix_spawnattr_setsigmask(&attributes_, &none));
		note(posix_spawnattr_setsigdefault(&attributes_, &all));
		note(posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
		                                                POSIX_SPAWN_SETSIGDEF));
		auto copies = words; // posix_spawnp(3) takes pointers to non-const text
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
	std::vector<std::pair<int, int>> passed_;
	int error_ = 0;
};

struct Pipe {
	FileDescriptor output; ///< with O_NONBLOCK
	FileDescriptor input;
};

Result<Pipe> make_pipe(const std::string &name)
{
	std::array<int, 2> ends{};
	if (pipe2(ends.data(), O_CLOEXEC) < 0)
		return fail_errno(errno, name);
	Pipe pipe{.output = FileDescriptor(ends[0]), .input = FileDescriptor(ends[1])};
	if (fcntl(pipe.output.get(), F_SETFL, O_NONBLOCK) < 0)
		return fail_errno(errno, name);
	return pipe;
}

/// Collects what a program prints.
class OutputCollector {
public:
	OutputCollector(const std::string &name, int output, int complaints, std::span<uint8_t> out)
	    : name_(name), output_(output), complaints_(complaints), out_(out)
	{
	}

	/// Waits up to `pause` for output, or for the end of the process behind `pidfd`. Returns true
	/// if the process has ended.
	Result<bool> wait(int pidfd, std::chrono::milliseconds pause)
	{
		std::array<struct pollfd, 3> waited{{{.fd = pidfd, .events = POLLIN, .revents = 0},
		                                     {.fd = output_, .events = POLLIN, .revents = 0},
		                                     {.fd = complaints_, .events = POLLIN, .revents = 0}}};
		if (::poll(waited.data(), waited.size(), static_cast<int>(pause.count())) < 0) {
			if (errno != EINTR)
				return fail_errno(errno, name_);
			return false;
		}
		return waited[0].revents != 0;
	}

	/// Reads the output that is available now.
	Result<void> take()
	{
		std::array<uint8_t, 1024> some{};
		while (output_ >= 0) {
			const auto room = out_.subspan(answer_.size);
			// When `out_` is full, read one byte more to notice output that is too long.
			const auto into = room.empty() ? std::span(some).first(1) : room;
			const auto n = read_some(output_, into);
			if (!n)
				return std::unexpected(n.error());
			if (*n == 0)
				break;
			if (room.empty())
				return fail(ExitCode::io_error,
				            fmt::format("{}: printed more than the requested {} bytes", name_,
				                        out_.size()));
			answer_.size += *n;
		}
		// Bounded, so that endless error output does not keep the caller from checking the time.
		for (size_t taken = 0; complaints_ >= 0 && taken < max_complaints; taken += some.size()) {
			const auto n = read_some(complaints_, some);
			if (!n)
				return std::unexpected(n.error());
			if (*n == 0)
				break;
			auto &text = answer_.complaint;
			text.append(some.begin(), some.begin() + static_cast<ptrdiff_t>(*n));
			if (text.size() > max_complaint)
				text.erase(0, text.size() - max_complaint);
		}
		return {};
	}

	[[nodiscard]] Answer &answer() { return answer_; }

private:
	static constexpr size_t max_complaint = 4096;
	static constexpr size_t max_complaints = 65536; // the capacity of a pipe

	/// Returns 0 if nothing is available now. Sets `fd` to -1 at its end.
	Result<size_t> read_some(int &fd, std::span<uint8_t> into)
	{
		const auto n = ::read(fd, into.data(), into.size());
		if (n == 0)
			fd = -1;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail_errno(errno, name_);
		return static_cast<size_t>(std::max<ssize_t>(n, 0));
	}

	const std::string &name_;
	int output_;
	int complaints_;
	std::span<uint8_t> out_;
	Answer answer_;
};

} // namespace

std::string quoted(const std::vector<std::string> &words)
{
	return fmt::format("`{}`", fmt::join(words, " "));
}

Result<std::unique_ptr<Program>> start_program(const std::vector<std::string> &words)
{
	const auto name = quoted(words);
	auto pipe = make_pipe(name);
	if (!pipe)
		return std::unexpected(pipe.error());
	pid_t pid = -1;
	if (const int error = Spawner().pass(pipe->input.get(), STDOUT_FILENO).spawn(words, pid);
	    error != 0)
		return fail_errno(error, name);
	return std::make_unique<Child>(name, pid, std::move(pipe->output));
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
	if (const int error = Spawner().pass(input.get(), STDERR_FILENO).spawn(words, pid); error != 0)
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

Result<Answer> ask_program(const std::string &name, const std::vector<std::string> &words,
                           std::span<uint8_t> out, std::chrono::milliseconds limit)
{
	constexpr std::chrono::milliseconds slice = 50ms; // how soon a caught signal is noticed
	const auto end = std::chrono::steady_clock::now() + limit;
	auto output = make_pipe(name);
	auto complaints = make_pipe(name);
	if (!output || !complaints)
		return std::unexpected((output ? complaints : output).error());
	pid_t pid = -1;
	if (const int error = Spawner()
	                          .pass(output->input.get(), STDOUT_FILENO)
	                          .pass(complaints->input.get(), STDERR_FILENO)
	                          .spawn(words, pid);
	    error != 0)
		return fail_errno(error, fmt::format("{}: {}", name, words.front()));
	output->input = FileDescriptor();
	complaints->input = FileDescriptor();
	const int read_from = output->output.get();
	Child child(name, pid, std::move(output->output));
	// By syscall(2): <sys/pidfd.h> of glibc 2.36 cannot be included in C++.
	const FileDescriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
	if (!pidfd)
		return fail_errno(errno, name);
	OutputCollector collector(name, read_from, complaints->output.get(), out);
	// Until the program ends, not until the pipes end: its children may hold them open.
	for (bool ended = false; !ended;) {
		const auto left =
		    std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
		if (interrupted() != 0)
			return fail_errno(EINTR, name);
		if (left <= 0ms)
			return std::unexpected(Error{ExitCode::io_error,
			                             fmt::format("{}: no answer within {:.1f} s", name,
			                                         std::chrono::duration<double>(limit).count()),
			                             ETIMEDOUT});
		const auto waited = collector.wait(pidfd.get(), std::min(left, slice));
		if (!waited)
			return std::unexpected(waited.error());
		ended = *waited;
		if (auto taken = collector.take(); !taken)
			return std::unexpected(taken.error());
	}
	const auto status = child.end();
	if (!status)
		return std::unexpected(status.error());
	collector.answer().status = *status;
	return std::move(collector.answer());
}

} // namespace hwrngd
