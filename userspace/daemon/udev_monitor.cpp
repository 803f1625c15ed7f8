// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/udev_monitor.h"

#include "base/file_descriptor.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include <libudev.h>

namespace hwrngd {

namespace {

// Events of these matter: the hwrng framework, TPMs, buses of drivers, serial generators, modules.
constexpr std::array<const char *, 6> subsystems{"misc", "tpm", "tpmrm", "virtio", "tty", "module"};

[[nodiscard]] bool may_change_sources(udev_device *device)
{
	const char *subsystem = udev_device_get_subsystem(device);
	return subsystem != nullptr &&
	       std::any_of(subsystems.begin(), subsystems.end(),
	                   [&](std::string_view one) { return one == subsystem; });
}

} // namespace

Result<std::unique_ptr<UdevMonitor>> UdevMonitor::open(asio::io_context &io,
                                                       std::function<void()> changed)
{
	const auto failed = [](int number) {
		return fail_errno(number < 0 ? -number : ENOMEM, "udev's events");
	};
	const std::unique_ptr<udev, udev *(*)(udev *)> library(udev_new(), udev_unref);
	if (!library)
		return failed(-errno);
	std::error_code error; // on an error, act as if udevd does not run
	const bool udevd = std::filesystem::exists("/run/udev/control", error);
	Monitor monitor(udev_monitor_new_from_netlink(library.get(), udevd ? "udev" : "kernel"),
	                udev_monitor_unref);
	if (!monitor)
		return failed(-errno);
	int bad = 0;
	for (const char *subsystem : subsystems)
		if (bad >= 0)
			bad =
			    udev_monitor_filter_add_match_subsystem_devtype(monitor.get(), subsystem, nullptr);
	if (bad >= 0)
		bad = udev_monitor_enable_receiving(monitor.get());
	if (bad < 0)
		return failed(bad);
	// A copy, because both Asio and the monitor close their descriptor.
	const int fd = fcntl(udev_monitor_get_fd(monitor.get()), F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return failed(-errno);
	return std::unique_ptr<UdevMonitor>(
	    new UdevMonitor(io, std::move(monitor), fd, std::move(changed)));
}

UdevMonitor::UdevMonitor(asio::io_context &io, Monitor monitor, int fd,
                         std::function<void()> changed)
    : monitor_(std::move(monitor)), descriptor_(io, fd), later_(io), changed_(std::move(changed))
{
	wait();
}

void UdevMonitor::wait()
{
	descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
	                       [this](const asio::error_code &error) {
		                       if (error)
			                       return;
		                       bool changed = false;
		                       while (auto *device = udev_monitor_receive_device(monitor_.get())) {
			                       changed = changed || may_change_sources(device);
			                       udev_device_unref(device);
		                       }
		                       // The next inventory shows which device it was.
		                       if (changed)
			                       call_later(0);
		                       wait();
	                       });
}

void UdevMonitor::call_later(size_t which)
{
	later_.expires_after(delays.at(which));
	later_.async_wait([this, which](const asio::error_code &error) {
		if (error) // another event has restarted the delays
			return;
		changed_();
		if (which + 1 < delays.size())
			call_later(which + 1);
	});
}

} // namespace hwrngd
