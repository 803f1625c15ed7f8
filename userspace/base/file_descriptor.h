// SPDX-License-Identifier: GPL-2.0-or-later
// An owned file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace hwrngd {

class FileDescriptor {
public:
	FileDescriptor() = default;
	explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
	FileDescriptor(FileDescriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	FileDescriptor &operator=(FileDescriptor &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	FileDescriptor(const FileDescriptor &) = delete;
	FileDescriptor &operator=(const FileDescriptor &) = delete;
	~FileDescriptor()
	{
		// An error of close() cannot be acted on here; write() has reported errors of
		// writing.
		if (fd_ >= 0)
			::close(fd_);
	}

	[[nodiscard]] int get() const noexcept { return fd_; }
	/// Releases ownership: the caller must close the descriptor.
	[[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
	explicit operator bool() const noexcept { return fd_ >= 0; }

private:
	int fd_ = -1;
};

} // namespace hwrngd
