// SPDX-License-Identifier: GPL-2.0-or-later
// Reports the daemon's state to systemd by the stable protocol of sd_notify(3). libsystemd could do
// this too, but it brings libgcrypt and three compressors along.
#pragma once

#include "base/file_descriptor.h"

#include <chrono>
#include <string>

namespace hwrngd {

class ServiceManager {
public:
	/// Reads NOTIFY_SOCKET and WATCHDOG_USEC from the environment. If they are not set, the
	/// functions below do nothing. Must be called while there is only one thread.
	ServiceManager();

	/// Units that depend on this daemon may start.
	void ready();
	[[nodiscard]] bool is_ready() const { return ready_; }

	/// Sets the line of text that `systemctl status` shows.
	void status(const std::string &text);

	/// Reports that the daemon works, and that the next report comes after `interval` or up to 10 %
	/// later. systemd restarts the daemon if it does not come within another minute.
	void alive_for(std::chrono::milliseconds interval);

	/// The daemon is exiting normally.
	void stopping();

private:
	void tell(const std::string &message);

	FileDescriptor socket_;
	bool watched_ = false;
	bool ready_ = false;
	std::string status_;
};

} // namespace hwrngd
