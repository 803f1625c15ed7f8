// SPDX-License-Identifier: GPL-2.0-or-later
// What an administrator connects: a FIFO, a character device such as a generator at a serial line,
// a file that grows.
#include "base/file_descriptor.h"
#include "source/nonblocking.h"
#include "source/source.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include <optional>
#include <utility>

namespace hwrngd {

namespace {

class Generator : public Source {
public:
	Generator(std::string name, FileDescriptor fd, AtEnd at_end,
	          std::optional<struct termios> before)
	    : name_(std::move(name)), fd_(std::move(fd)), at_end_(at_end), before_(before)
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
		return read_until(name_, fd_.get(), out, limit, std::chrono::steady_clock::now() + limit,
		                  at_end_);
	}

private:
	std::string name_;
	FileDescriptor fd_;
	AtEnd at_end_;
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

} // namespace

Result<std::unique_ptr<Source>> open_generator(const Root &root, const std::string &path,
                                               unsigned speed)
{
	const auto name = root.at(path).string();
	struct stat status = {};
	if (stat(name.c_str(), &status) < 0)
		return fail_source(fail_errno(errno, name).error());
	const bool is_file = S_ISREG(status.st_mode);
	if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode) && !is_file)
		return fail(ExitCode::usage,
		            fmt::format("{}: is no FIFO, no character device and no file", name));
	// A FIFO that we could write to has no end when its last writer goes.
	const int mode = S_ISFIFO(status.st_mode) ? O_RDWR : O_RDONLY;
	auto fd = root.open(path, mode | O_NONBLOCK | O_NOCTTY);
	if (!fd)
		return fail_source(fd.error());
	if (flock(fd->get(), LOCK_EX | LOCK_NB) < 0)
		return fail_errno(errno == EWOULDBLOCK ? EBUSY : errno, name);
	// What a file holds already may have been fed before, and be known to who can read it.
	if (is_file && lseek(fd->get(), 0, SEEK_END) < 0)
		return fail_errno(errno, name);
	std::optional<struct termios> before;
	if (isatty(fd->get()) != 0) {
		auto raw = make_raw(name, fd->get(), speed);
		if (!raw)
			return std::unexpected(raw.error());
		before = *raw;
	}
	return std::make_unique<Generator>(name, std::move(*fd),
	                                   is_file ? AtEnd::waits : AtEnd::is_told, before);
}

} // namespace hwrngd
