// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/service_manager.h"

#include "fake_tree.h"
#include "sockets.h"

#include <array>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

/// systemd, which sees this process as its service.
struct Systemd {
	explicit Systemd(bool watches)
	{
		setenv("NOTIFY_SOCKET", tree.at("/notify").c_str(), 1);
		if (watches)
			setenv("WATCHDOG_USEC", "180000000", 1);
	}
	Systemd(const Systemd &) = delete;
	Systemd &operator=(const Systemd &) = delete;
	~Systemd()
	{
		unsetenv("NOTIFY_SOCKET");
		unsetenv("WATCHDOG_USEC");
	}

	/// The next message, or nothing if there is none.
	[[nodiscard]] std::string told() const
	{
		std::array<char, 1000> text{};
		const auto n = recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
		return {text.data(), static_cast<size_t>(std::max<ssize_t>(n, 0))};
	}

	FakeTree tree;
	FileDescriptor socket = listen_unix(tree.at("/notify").string(), SOCK_DGRAM);
};

TEST(ServiceManager, GetsEachMessageOnce)
{
	const Systemd systemd(true);
	ServiceManager manager;
	EXPECT_FALSE(manager.is_ready());
	manager.ready();
	manager.ready();
	EXPECT_TRUE(manager.is_ready());
	manager.status("well");
	manager.status("well");
	manager.status("unwell");
	manager.stopping();
	EXPECT_EQ(systemd.told(), "READY=1");
	EXPECT_EQ(systemd.told(), "STATUS=well");
	EXPECT_EQ(systemd.told(), "STATUS=unwell");
	EXPECT_EQ(systemd.told(), "STOPPING=1");
	EXPECT_EQ(systemd.told(), "");
}

TEST(ServiceManager, WaitsForTheNextSignOfLife)
{
	const Systemd systemd(true);
	ServiceManager manager;
	manager.alive_for(1s);
	manager.alive_for(24h);
	EXPECT_EQ(systemd.told(), "WATCHDOG=1\nWATCHDOG_USEC=61200000");
	EXPECT_EQ(systemd.told(), "WATCHDOG=1\nWATCHDOG_USEC=103740000000");
}

TEST(ServiceManager, GetsNoWatchdogMessageWithoutAWatchdog)
{
	const Systemd systemd(false);
	ServiceManager manager;
	manager.alive_for(1s);
	EXPECT_EQ(systemd.told(), "");
}

TEST(ServiceManager, NeedNotExist)
{
	ServiceManager nobody;
	nobody.ready();
	nobody.status("well");
	nobody.alive_for(1s);
	nobody.stopping();
	EXPECT_TRUE(nobody.is_ready());
	setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
	testing::internal::CaptureStderr();
	ServiceManager gone;
	unsetenv("NOTIFY_SOCKET");
	EXPECT_NE(testing::internal::GetCapturedStderr().find("/nowhere/notify: No such file"),
	          std::string::npos);
	gone.ready();
}

} // namespace
