// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/machine_events.h"

#include "base/log.h"

#include <utility>

#include <fmt/format.h>

namespace hwrngd {

void MachineEvents::start(asio::io_context &io, const Root &root,
                          const std::function<void()> &on_devices,
                          const std::function<void(const char *)> &on_old_state)
{
	// Without events, the refresh of the inventory each minute still finds every change.
	if (auto monitor = UdevMonitor::open(io, on_devices))
		devices_ = std::move(*monitor);
	else
		log(Priority::warning, Event::restricted, monitor.error().message);
	if (auto monitor = ClockMonitor::open(
	        io, [on_old_state] { on_old_state("the machine resumed, or its clock was set"); }))
		clock_ = std::move(*monitor);
	else
		log(Priority::warning, Event::restricted, monitor.error().message);
	if (auto kernel_log = CloneMonitor::open_log(root))
		clones_.emplace(io, std::move(*kernel_log),
		                [on_old_state] { on_old_state("this machine is now a clone of another"); });
	else
		log(Priority::info, Event::restricted,
		    fmt::format("{}; hwrngd will not notice if this machine is cloned",
		                kernel_log.error().message));
}

} // namespace hwrngd
