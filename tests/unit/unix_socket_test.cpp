// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/unix_socket.h"

#include "fake_tree.h"
#include "sockets.h"

#include <unistd.h>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

TEST(UnixSocket, ConnectsToAListener)
{
	const FakeTree tree;
	const auto path = tree.at("/socket").string();
	{
		const auto listener = listen_unix(path, SOCK_STREAM);
		EXPECT_TRUE(connect_unix(path, SOCK_STREAM));
	}
	const auto nobody = connect_unix(path, SOCK_STREAM);
	ASSERT_FALSE(nobody) << "the listener is gone but its file remains";
	EXPECT_EQ(nobody.error().code, ExitCode::no_source);
	EXPECT_EQ(connect_unix(path + "s", SOCK_STREAM).error().code, ExitCode::no_source);
}

TEST(UnixSocket, AnAtSignIsAnAbstractName)
{
	const auto name = std::string(1, '\0') + "hwrngd-test-" + std::to_string(getpid());
	struct sockaddr_un address = {};
	address.sun_family = AF_UNIX;
	std::ranges::copy(name, &address.sun_path[0]);
	const FileDescriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) requires it
	const auto *at = reinterpret_cast<const struct sockaddr *>(&address);
	const auto size = offsetof(struct sockaddr_un, sun_path) + name.size();
	ASSERT_EQ(bind(listener.get(), at, static_cast<socklen_t>(size)), 0);
	ASSERT_EQ(listen(listener.get(), 1), 0);
	EXPECT_TRUE(connect_unix("@" + name.substr(1), SOCK_STREAM));
	EXPECT_FALSE(connect_unix("@" + name.substr(1) + "x", SOCK_STREAM));
}

TEST(UnixSocket, AnUnusablePathIsRefused)
{
	EXPECT_EQ(connect_unix("", SOCK_STREAM).error().code, ExitCode::usage);
	EXPECT_EQ(connect_unix(std::string(108, 'x'), SOCK_STREAM).error().code, ExitCode::usage);
}

} // namespace
