// SPDX-License-Identifier: GPL-2.0-or-later
// Events of the machine that the daemon answers: devices that come and go, a resume or a clock that
// is set, and a clone of this machine.
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
	/// Follows them from now on; which it cannot, it logs. `on_devices`: a device came or went.
	/// `on_old_state`: another machine may have what the CRNG gives now, `why` says how so.
	void start(asio::io_context &io, const Root &root, const std::function<void()> &on_devices,
	           const std::function<void(const char *why)> &on_old_state);

private:
	std::unique_ptr<UdevMonitor> devices_;
	std::unique_ptr<ClockMonitor> clock_;
	std::optional<CloneMonitor> clones_;
};

} // namespace hwrngd
