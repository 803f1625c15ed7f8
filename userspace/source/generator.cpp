// SPDX-License-Identifier: GPL-2.0-or-later
// What an administrator connects: a FIFO, a character device such as a generator at a serial line,
// the output of a command. Read without blocking, so that no thread is lost to one that is silent.
#include "file_descriptor.h"
#include "interrupt.h"
#include "source/source.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h> // kill(2), which <csignal> need not have
#include <spawn.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include <algorithm>
#include <array>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/ranges.h>

namespace hwrngd {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds slice{50}; // how soon a caught signal is noticed

/// read(2) of a descriptor that does not block, once there is something, or the error of one that
/// gives nothing until `end`.
Result<size_t> read_until(const std::string &name, int fd, std::span<uint8_t> out,
                          std::chrono::milliseconds limit, Clock::time_point end)
{
	while (true) {
		if (const auto n = ::read(fd, out.data(), out.size()); n >= 0)
			return static_cast<size_t>(n);
		if (errno != EAGAIN && errno != EINTR)
			return fail_errno(errno, name);
		if (interrupted() != 0)
			return fail_errno(EINTR, name);
		const auto now = Clock::now();
		if (now >= end)
			return fail_stalled(name, limit);
		struct pollfd waited = {.fd = fd, .events = POLLIN, .revents = 0};
		if (::poll(&waited, 1, static_cast<int>(slice.count())) < 0 && errno != EINTR)
			return fail_errno(errno, name);
		// A driver without poll is always ready.
		if (waited.revents != 0)
			std::this_thread::sleep_until(std::min(end, now + std::chrono::milliseconds(1)));
	}
}

class Generator : public Source {
public:
	Generator(std::string name, FileDescriptor fd, std::optional<struct termios> before)
	    : name_(std::move(name)), fd_(std::move(fd)), before_(before)
	{
	}
	Generator(const Generator &) = delete;
	Generator &operator=(const Generator &) = delete;
	~Generator() override
	{
		if (!before_)
			return;
		// If it was pulled out, there is nothing to put back.
		tcsetattr(fd_.get(), TCSANOW, &*before_);
		ioctl(fd_.get(), TIOCNXCL);
	}

	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		return read_until(name_, fd_.get(), out, limit, Clock::now() + limit);
	}

private:
	std::string name_;
	FileDescriptor fd_;
	std::optional<struct termios> before_; ///< of a serial line
};

/// Makes a serial line give bytes as they come. Returns what to put back.
Result<struct termios> make_raw(const std::string &name, int fd, unsigned speed)
{
	struct termios before = {};
	if (tcgetattr(fd, &before) < 0)
		return fail_errno(errno, name);
	struct termios raw = before;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL | CREAD; // whether a modem is there or not
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	// glibc takes the number itself, and refuses what is none.
	if (speed != 0 && cfsetspeed(&raw, speed) < 0)
		return fail(ExitCode::usage,
		            fmt::format("{}: {} is no speed of a serial line; common ones are 9600, 115200 "
		                        "and 1000000",
		                        name, speed));
	// What came before, at another speed perhaps, is no randomness of ours.
	if (ioctl(fd, TIOCEXCL) < 0 || tcsetattr(fd, TCSANOW, &raw) < 0 || tcflush(fd, TCIFLUSH) < 0)
		return fail_errno(errno, name);
	return before;
}

class Command : public Source {
public:
	explicit Command(std::vector<std::string> words)
	    : name_(fmt::format("`{}`", fmt::join(words, " "))), words_(std::move(words))
	{
	}
	Command(const Command &) = delete;
	Command &operator=(const Command &) = delete;
	~Command() override
	{
		if (pid_ < 0)
			return;
		output_ = FileDescriptor();
		::kill(-pid_, SIGTERM);
		for (int i = 0; i < 20; i++) {
			if (::waitpid(pid_, nullptr, WNOHANG) != 0)
				return;
			std::this_thread::sleep_for(std::chrono::milliseconds(10));
		}
		::kill(-pid_, SIGKILL);
		::waitpid(pid_, nullptr, 0);
	}

	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds limit) override
	{
		const auto end = Clock::now() + limit;
		while (true) {
			if (pid_ < 0)
				if (auto started = start(); !started)
					return std::unexpected(started.error());
			const auto n = read_until(name_, output_.get(), out, limit, end);
			if (!n)
				return n;
			gave_ += *n;
			if (*n > 0)
				return n;
			// It ended; one that gave something is started again.
			if (auto whole = reap(); !whole)
				return std::unexpected(whole.error());
		}
	}

private:
	/// In a group of its own, with no signal blocked or ignored, and nothing to read.
	Result<void> start()
	{
		std::array<int, 2> ends{};
		if (pipe2(ends.data(), O_CLOEXEC) < 0)
			return fail_errno(errno, name_);
		FileDescriptor output(ends[0]);
		const FileDescriptor input(ends[1]);
		if (fcntl(output.get(), F_SETFL, O_NONBLOCK) < 0)
			return fail_errno(errno, name_);

		std::vector<char *> arguments;
		for (auto &word : words_)
			arguments.push_back(word.data());
		arguments.push_back(nullptr);
		sigset_t none;
		sigset_t all;
		sigemptyset(&none);
		sigfillset(&all);
		posix_spawn_file_actions_t actions;
		posix_spawnattr_t attributes;
		posix_spawn_file_actions_init(&actions);
		posix_spawnattr_init(&attributes);
		int error =
		    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		if (error == 0)
			error = posix_spawn_file_actions_adddup2(&actions, input.get(), STDOUT_FILENO);
		posix_spawnattr_setsigmask(&attributes, &none);
		posix_spawnattr_setsigdefault(&attributes, &all);
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
		                                          POSIX_SPAWN_SETSIGDEF);
		if (error == 0)
			error = posix_spawnp(&pid_, words_[0].c_str(), &actions, &attributes, arguments.data(),
			                     environ);
		posix_spawn_file_actions_destroy(&actions);
		posix_spawnattr_destroy(&attributes);
		if (error != 0) {
			pid_ = -1;
			return fail_errno(error, name_);
		}
		output_ = std::move(output);
		gave_ = 0;
		return {};
	}

	Result<void> reap()
	{
		int status = 0;
		output_ = FileDescriptor();
		// It has closed its output, and has no other purpose.
		::kill(-pid_, SIGTERM);
		const auto pid = std::exchange(pid_, -1);
		if (::waitpid(pid, &status, 0) < 0)
			return fail_errno(errno, name_);
		if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
			return fail(ExitCode::io_error,
			            fmt::format("{}: ended with {}", name_, WEXITSTATUS(status)));
		if (gave_ == 0)
			return fail(ExitCode::io_error, fmt::format("{}: ended and gave nothing", name_));
		return {};
	}

	std::string name_;
	std::vector<std::string> words_;
	FileDescriptor output_;
	pid_t pid_ = -1;
	size_t gave_ = 0; ///< bytes since it was started
};

} // namespace

Result<std::unique_ptr<Source>> open_generator(const std::filesystem::path &path, unsigned speed)
{
	const auto name = path.string();
	struct stat status = {};
	if (stat(path.c_str(), &status) < 0)
		return fail_errno(errno, name);
	if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
		return fail(ExitCode::usage,
		            fmt::format("{}: is no FIFO and no character device; the bytes of a file would "
		                        "be fed again and again",
		                        name));
	// A FIFO that we could write to has no end when its last writer goes.
	const int mode = S_ISFIFO(status.st_mode) ? O_RDWR : O_RDONLY;
	FileDescriptor fd(::open(path.c_str(), mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
	if (!fd)
		return fail_errno(errno, name);
	if (flock(fd.get(), LOCK_EX | LOCK_NB) < 0)
		return fail_errno(errno == EWOULDBLOCK ? EBUSY : errno, name);
	std::optional<struct termios> before;
	if (isatty(fd.get()) != 0) {
		auto raw = make_raw(name, fd.get(), speed);
		if (!raw)
			return std::unexpected(raw.error());
		before = *raw;
	}
	return std::make_unique<Generator>(name, std::move(fd), before);
}

std::unique_ptr<Source> open_command(const std::vector<std::string> &words)
{
	return std::make_unique<Command>(words);
}

} // namespace hwrngd
