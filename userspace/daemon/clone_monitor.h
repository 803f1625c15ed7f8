// SPDX-License-Identifier: GPL-2.0-or-later
// Tells when this virtual machine became a copy of another one: its snapshot was restored, or it
// was cloned. drivers/virt/vmgenid.c has the CRNG reseeded then, of which the kernel's log alone
// tells (drivers/char/random.c, since Linux 5.18): the event NEW_VMGENID was in Linux 6.8 and taken
// back.
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
	/// The kernel's log, from now on. Where dmesg is for root alone, this needs CAP_SYSLOG.
	[[nodiscard]] static Result<FileDescriptor> open_log(const Root &root);

	/// From now on `cloned` is called in the event loop each time that `log` tells of it.
	CloneMonitor(asio::io_context &io, FileDescriptor log, std::function<void()> cloned);

	/// Whether a record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg) is the kernel's word of
	/// it.
	[[nodiscard]] static bool tells_of_clone(std::string_view record);

private:
	void wait();
	[[nodiscard]] bool read_records();

	asio::posix::stream_descriptor descriptor_;
	std::function<void()> cloned_;
};

} // namespace hwrngd
