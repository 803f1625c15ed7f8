// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/helper_watch.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace hwrngd {

Result<void> HelperWatch::start(std::function<void()> on_death)
{
	FileDescriptor end(fcntl(helper_->end(), F_DUPFD_CLOEXEC, 0));
	if (!end)
		return fail_errno(errno, "fcntl");
	end_.assign(end.release());
	end_.async_wait(asio::posix::stream_descriptor::wait_read,
	                [this, on_death = std::move(on_death)](const asio::error_code &error) {
		                if (error)
			                return;
		                alive_ = false;
		                on_death();
	                });
	return {};
}

} // namespace hwrngd
