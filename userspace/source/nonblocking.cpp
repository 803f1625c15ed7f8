// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/nonblocking.h"

#include "base/interrupt.h"
#include "source/source.h"

#include <poll.h>

#include <algorithm>
#include <thread>

namespace hwrngd {

Result<size_t> read_until(const std::string &name, int fd, std::span<uint8_t> out,
                          std::chrono::milliseconds limit,
                          std::chrono::steady_clock::time_point end, AtEnd at_end)
{
	constexpr std::chrono::milliseconds slice{50}; // how soon a caught signal is noticed
	while (true) {
		const auto n = ::read(fd, out.data(), out.size());
		if (n > 0 || (n == 0 && at_end == AtEnd::reported))
			return static_cast<size_t>(n);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail_errno(errno, name);
		if (interrupted() != 0)
			return fail_errno(EINTR, name);
		const auto now = std::chrono::steady_clock::now();
		if (now >= end)
			return fail_stalled(name, limit);
		struct pollfd waited = {.fd = fd, .events = POLLIN, .revents = 0};
		if (::poll(&waited, 1, static_cast<int>(slice.count())) < 0 && errno != EINTR)
			return fail_errno(errno, name);
		// A file, and a device whose driver lacks poll, is always ready: avoid a busy loop.
		if (waited.revents != 0)
			std::this_thread::sleep_until(
			    std::min(end, now + (n == 0 ? slice : std::chrono::milliseconds(1))));
	}
}

} // namespace hwrngd
