// SPDX-License-Identifier: GPL-2.0-or-later
// Generators that an administrator connects: a FIFO, a character device (such as a generator at a
// serial line), or a file that grows.
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
		// These calls fail if the device was unplugged; then there is nothing to restore.
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
	std::optional<struct termios> before_; ///< former settings of a serial line
};

/// Sets a serial line to raw mode, and returns its former settings.
Result<struct termios> make_raw(const std::string &name, int fd, unsigned speed)
{
	struct termios before = {};
	if (tcgetattr(fd, &before) < 0)
		return fail_errno(errno, name);
	struct termios raw = before;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL | CREAD; // without modem control lines
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	// glibc takes the speed as a number, and refuses an unknown one.
	if (speed != 0 && cfsetspeed(&raw, speed) < 0)
		return fail(ExitCode::usage,
		            fmt::format("{}: {} is not a speed of a serial line; common speeds are 9600, "
		                        "115200 and 1000000",
		                        name, speed));
	// Discard bytes that arrived before, perhaps at another speed.
	if (ioctl(fd, TIOCEXCL) < 0 || tcsetattr(fd, TCSANOW, &raw) < 0 || tcflush(fd, TCIFLUSH) < 0)
		return fail_errno(errno, name);
	return before;
}

} // namespace

Result<std::unique_ptr<Source>> open_generator(const Root &root, const std::string &path,
                                               unsigned speed)
{
	const auto name = root.at(path).string();
	const auto status = root.status(path);
	if (!status)
		return fail_source(status.error());
	const bool is_file = S_ISREG(status->st_mode);
	if (!S_ISFIFO(status->st_mode) && !S_ISCHR(status->st_mode) && !is_file)
		return fail(ExitCode::usage,
		            fmt::format("{}: is not a FIFO, a character device or a file", name));
	// Opened for writing too, a FIFO does not reach its end when its last writer closes it.
	const int mode = S_ISFIFO(status->st_mode) ? O_RDWR : O_RDONLY;
	auto fd = root.open(path, mode | O_NONBLOCK | O_NOCTTY);
	if (!fd)
		return fail_source(fd.error());
	if (flock(fd->get(), LOCK_EX | LOCK_NB) < 0)
		return fail_errno(errno == EWOULDBLOCK ? EBUSY : errno, name);
	// Skip what the file holds already: it may have been fed before, and others may have read it.
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
	                                   is_file ? AtEnd::waits : AtEnd::reported, before);
}

} // namespace hwrngd
