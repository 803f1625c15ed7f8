// SPDX-License-Identifier: GPL-2.0-or-later
// Notices when this virtual machine becomes a copy of another one, because its snapshot was
// restored or it was cloned. drivers/virt/vmgenid.c then makes the CRNG reseed. Only the kernel's
// log says so (drivers/char/random.c, since Linux 5.18): the event NEW_VMGENID existed in Linux 6.8
// and was removed again.
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/root.h"

#include <functional>
#include <string_view>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace hwrngd {

class CloneMonitor {
public:
	/// Opens the kernel's log at its end. If dmesg is restricted to root, this needs CAP_SYSLOG.
	[[nodiscard]] static Result<FileDescriptor> open_log(const Root &root);

	/// From now on, calls `cloned` in the event loop each time that `log` reports a clone.
	CloneMonitor(asio::io_context &io, FileDescriptor log, std::function<void()> cloned);

	/// True if a record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg) is the kernel's report of
	/// a clone.
	[[nodiscard]] static bool reports_clone(std::string_view record);

private:
	void wait();
	[[nodiscard]] bool read_records();

	asio::posix::stream_descriptor descriptor_;
	std::function<void()> cloned_;
};

} // namespace hwrngd
