// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <system_error>
#include <vector>

namespace hwrngd::soak {

namespace {

int checked(int result, const std::string &what)
{
	if (result < 0)
		throw std::system_error(errno, std::generic_category(), what);
	return result;
}

} // namespace

void Wire::plug()
{
	const std::lock_guard lock(mutex_);
	std::filesystem::create_directories(path_.parent_path());
	const auto path = path_.string();
	switch (kind_) {
	case WireKind::file:
		end_ = FileDescriptor(
		    checked(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600), path));
		return;
	case WireKind::fifo:
		checked(mkfifo(path.c_str(), 0600), path);
		end_ = FileDescriptor(checked(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC), path));
		// A small buffer, because its old bytes are read before those of a new fault.
		checked(fcntl(end_.get(), F_SETPIPE_SZ, 4096), path);
		return;
	case WireKind::serial:
		end_ =
		    FileDescriptor(checked(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), path));
		checked(grantpt(end_.get()), path);
		checked(unlockpt(end_.get()), path);
		std::array<char, 64> line{};
		checked(-ptsname_r(end_.get(), line.data(), line.size()), path);
		std::filesystem::create_symlink(line.data(), path_);
		return;
	}
}

void Wire::unplug()
{
	const std::lock_guard lock(mutex_);
	std::filesystem::remove(path_);
	end_ = FileDescriptor();
}

void Wire::put(Device &device, size_t size)
{
	std::vector<uint8_t> bytes(size);
	device.fill(bytes);
	const std::lock_guard lock(mutex_);
	if (end_ && write(end_.get(), bytes.data(), bytes.size()) < 0 && errno != EAGAIN)
		throw std::system_error(errno, std::generic_category(), path_.string());
}

void Wire::drain()
{
	const std::lock_guard lock(mutex_);
	std::array<uint8_t, 4096> bytes{};
	// NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): a FIFO has O_NONBLOCK
	while (end_ && read(end_.get(), bytes.data(), bytes.size()) > 0)
		;
}

} // namespace hwrngd::soak
