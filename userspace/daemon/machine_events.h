// SPDX-License-Identifier: GPL-2.0-or-later
// Events of the machine that the daemon reacts to: devices that come and go, a resume, a clock that
// is set, and cloning of this machine.
#pragma once

#include "base/root.h"
#include "daemon/clock_monitor.h"
#include "daemon/clone_monitor.h"
#include "daemon/udev_monitor.h"

#include <functional>
#include <memory>
#include <optional>

#include <asio/io_context.hpp>

namespace hwrngd {

class MachineEvents {
public:
	/// Starts to watch for these events; logs those that cannot be watched. `on_devices`: a device
	/// came or went. `on_old_state`: others may know the CRNG's state; `why` is the reason.
	void start(asio::io_context &io, const Root &root, const std::function<void()> &on_devices,
	           const std::function<void(const char *why)> &on_old_state);

private:
	std::unique_ptr<UdevMonitor> devices_;
	std::unique_ptr<ClockMonitor> clock_;
	std::optional<CloneMonitor> clones_;
};

} // namespace hwrngd
