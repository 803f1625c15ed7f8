// SPDX-License-Identifier: GPL-2.0-or-later
// What systemd is told of the daemon: sd_notify(3), whose protocol is stable. libsystemd would do
// the same, and brings libgcrypt and three compressors along.
#pragma once

#include "base/file_descriptor.h"

#include <chrono>
#include <string>

namespace hwrngd {

class ServiceManager {
public:
	/// By the environment: NOTIFY_SOCKET, WATCHDOG_USEC. Without these all below does nothing. To
	/// be called while there is one thread.
	ServiceManager();

	/// What depends on this daemon may start.
	void ready();
	[[nodiscard]] bool is_ready() const { return ready_; }

	/// One line, for `systemctl status`.
	void status(const std::string &text);

	/// The daemon is well, and will say so again after `interval` or a tenth more; a minute later
	/// it is to be started anew.
	void alive_for(std::chrono::milliseconds interval);

	/// It ends in order.
	void stopping();

private:
	void tell(const std::string &message);

	FileDescriptor socket_;
	bool watched_ = false;
	bool ready_ = false;
	std::string status_;
};

} // namespace hwrngd
