// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/clone_monitor.h"

#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

namespace hwrngd {

namespace {

// A read into a shorter buffer may fail with EINVAL.
constexpr size_t longest_record = 8192;

} // namespace

bool CloneMonitor::reports_clone(std::string_view record)
{
	// Only the kernel's own messages have facility 0: programs that write to /dev/kmsg cannot use
	// it. The lower 3 bits are the level.
	unsigned priority = 0;
	const auto *const end = record.end();
	const auto number = std::from_chars(record.begin(), end, priority);
	if (number.ec != std::errc() || number.ptr == end || *number.ptr != ',' || priority > 7)
		return false;
	const auto message = record.find(';');
	return message != std::string_view::npos &&
	       record.substr(message + 1)
	           .starts_with("random: crng reseeded due to virtual machine fork");
}

Result<FileDescriptor> CloneMonitor::open_log(const Root &root)
{
	auto fd = root.open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	// ESPIPE: it is a pipe, with nothing in it yet.
	if (fd && lseek(fd->get(), 0, SEEK_END) < 0 && errno != ESPIPE)
		return fail_errno(errno, root.at("/dev/kmsg").string());
	return fd;
}

CloneMonitor::CloneMonitor(asio::io_context &io, FileDescriptor log, std::function<void()> cloned)
    : descriptor_(io, log.release()), cloned_(std::move(cloned))
{
	wait();
}

void CloneMonitor::wait()
{
	descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
	                       [this](const asio::error_code &error) {
		                       if (!error && read_records())
			                       wait();
	                       });
}

/// Reads all pending records. Returns false if no more records can be read.
bool CloneMonitor::read_records()
{
	std::array<char, longest_record> record{};
	bool cloned = false;
	for (;;) {
		const auto n = ::read(descriptor_.native_handle(), record.data(), record.size());
		if (n > 0) {
			cloned = cloned || reports_clone({record.data(), static_cast<size_t>(n)});
			continue;
		}
		// EPIPE: records were lost because they came faster than we read them.
		if (n < 0 && (errno == EINTR || errno == EPIPE))
			continue;
		if (cloned)
			cloned_();
		if (n < 0 && errno == EAGAIN)
			return true;
		log(Priority::warning, Event::restricted,
		    n < 0 ? fail_errno(errno, "/dev/kmsg").error().message
		          : std::string("/dev/kmsg: end of file"));
		return false;
	}
}

} // namespace hwrngd
