// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/listener.h"

#include "base/unix_socket.h"
#include "fake_tree.h"
#include "sockets.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <string>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

std::string wrong(const std::string &text)
{
	const auto address = parse_listen_address(text);
	EXPECT_FALSE(address) << text;
	return address ? "" : address.error().message;
}

TEST(Listener, ParsesAddresses)
{
	for (const char *text : {"unix:/run/hwrngd/egd", "tcp:127.0.0.1:8888", "tls:[::]:8889",
	                         "tls:0.0.0.0:1", "tcp:192.0.2.1:1", "tcp:[::1]:8888",
	                         "tcp:[2001:db8::1]:65535", "tcp:0.0.0.0:8888", "tcp:[::]:8888"}) {
		const auto address = parse_listen_address(text);
		ASSERT_TRUE(address) << text;
		EXPECT_EQ(text_of(*address), text);
	}
	EXPECT_EQ(parse_listen_address("tcp:127.0.0.1:8888")->port, 8888);
	EXPECT_EQ(parse_listen_address("tcp:192.0.2.1:1")->ip, (std::vector<uint8_t>{192, 0, 2, 1}));
	EXPECT_EQ(parse_listen_address("tcp:[::1]:1")->ip.size(), 16U);
}

TEST(Listener, ErrorsNameWhatIsWrong)
{
	const std::string kinds = "is not unix:/PATH, tcp:HOST:PORT or tls:HOST:PORT";
	for (const char *text : {"", "/run/egd", "udp:127.0.0.1:1", "127.0.0.1:8888"})
		EXPECT_EQ(wrong(text), kinds);
	EXPECT_EQ(wrong("unix:egd"), "has no absolute path: write unix:/PATH");
	for (const char *text : {"tcp:", "tcp:127.0.0.1", "tcp:127.0.0.1:", "tcp:127.0.0.1:0",
	                         "tcp:127.0.0.1:65536", "tcp:127.0.0.1:-1", "tcp:127.0.0.1:egd"})
		EXPECT_EQ(wrong(text), "does not end with a port: add one of :1 to :65535") << text;
	for (const char *text : {"tcp::1", "tcp:localhost:1", "tcp:::1:1", "tcp:[127.0.0.1]:1",
	                         "tcp:[::1:1", "tcp:256.0.0.1:1"})
		EXPECT_TRUE(wrong(text).starts_with("has no numeric address")) << text;
}

TEST(Listener, LocalAddressesAreRecognized)
{
	for (const char *text : {"unix:/a", "tcp:127.0.0.1:1", "tcp:127.255.0.9:1", "tcp:[::1]:1"})
		EXPECT_TRUE(parse_listen_address(text)->is_local()) << text;
	for (const char *text :
	     {"tcp:0.0.0.0:1", "tcp:[::]:1", "tcp:128.0.0.1:1", "tcp:[::2]:1", "tcp:[::ffff:7f00:1]:1"})
		EXPECT_FALSE(parse_listen_address(text)->is_local()) << text;
}

TEST(Listener, EveryUserMayConnectToAUnixSocket)
{
	FakeTree tree;
	tree.file("/run/hwrngd/egd", "in the way");
	const mode_t before = umask(0077);
	auto listener = open_listener(tree.root(), *parse_listen_address("unix:/run/hwrngd/egd"));
	EXPECT_EQ(umask(before), 0077U) << "as it was";
	ASSERT_TRUE(listener) << listener.error().message;
	struct stat status = {};
	ASSERT_EQ(stat(tree.at("/run/hwrngd/egd").c_str(), &status), 0);
	EXPECT_TRUE(S_ISSOCK(status.st_mode));
	EXPECT_EQ(status.st_mode & 0777U, 0666U);
	EXPECT_TRUE(connect_unix(tree.at("/run/hwrngd/egd").string(), SOCK_STREAM));
	EXPECT_EQ(address_of(*listener)->path, tree.at("/run/hwrngd/egd"));
	// A second listener replaces the first.
	EXPECT_TRUE(open_listener(tree.root(), *parse_listen_address("unix:/run/hwrngd/egd")));
	std::filesystem::remove(tree.at("/run/hwrngd/egd"));
	tree.file("/run/hwrngd/egd/folder", "");
	EXPECT_FALSE(open_listener(tree.root(), *parse_listen_address("unix:/run/hwrngd/egd")));
	EXPECT_FALSE(
	    open_listener(tree.root(), *parse_listen_address("unix:/run/hwrngd/egd/folder/a")));
	const std::string longest = "unix:/" + std::string(200, 'x');
	EXPECT_EQ(open_listener(tree.root(), *parse_listen_address(longest)).error().code,
	          ExitCode::usage);
}

TEST(Listener, IPv4AndIPv6ListenSideBySide)
{
	const FakeTree tree;
	// Find a port that is free now.
	std::string port;
	{
		ListenAddress any{.tls = false, .path = "", .ip = {127, 0, 0, 1}, .port = 0};
		const auto listener = open_listener(tree.root(), any);
		ASSERT_TRUE(listener) << listener.error().message;
		port = std::to_string(address_of(*listener)->port);
	}
	const auto v4 = open_listener(tree.root(), *parse_listen_address("tcp:127.0.0.1:" + port));
	ASSERT_TRUE(v4) << v4.error().message;
	EXPECT_EQ(text_of(*address_of(*v4)), "tcp:127.0.0.1:" + port);
	EXPECT_EQ(
	    open_listener(tree.root(), *parse_listen_address("tcp:127.0.0.1:" + port)).error().number,
	    EADDRINUSE);
	const auto v6 = open_listener(tree.root(), *parse_listen_address("tcp:[::]:" + port));
	if (!v6 && (v6.error().number == EAFNOSUPPORT || v6.error().number == EADDRNOTAVAIL))
		GTEST_SKIP() << "this machine has no IPv6";
	ASSERT_TRUE(v6) << v6.error().message;
	EXPECT_EQ(text_of(*address_of(*v6)), "tcp:[::]:" + port);
}

/// Runs a check in a process of its own, with passed sockets of these names.
void passed(const std::string &names, const std::function<bool()> &good)
{
	const FakeTree tree;
	const auto first = listen_unix(tree.at("/a").string(), SOCK_STREAM);
	const auto second = listen_unix(tree.at("/b").string(), SOCK_STREAM);
	dup2(fcntl(first.get(), F_DUPFD, 50), 3);
	dup2(fcntl(second.get(), F_DUPFD, 51), 4);
	setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", names.c_str(), 1);
	const bool as_it_should_be = good();
	std::error_code ignored; // the test is over
	std::filesystem::remove_all(tree.at("/"), ignored);
	_exit(as_it_should_be ? 0 : 1);
}

TEST(Listener, SocketsOfTheServiceManagerAreTakenOnceWithTheirNames)
{
	EXPECT_EXIT(passed("other:egd",
	                   [] {
		                   const auto found = take_passed_listeners();
		                   return found && found->size() == 2 && (*found)[0].name == "other" &&
		                          (*found)[1].name == "egd" && (*found)[1].fd.get() == 4 &&
		                          fcntl(3, F_GETFD) == FD_CLOEXEC &&
		                          getenv("LISTEN_FDS") == nullptr &&
		                          take_passed_listeners()->empty();
	                   }),
	            testing::ExitedWithCode(0), "");
	EXPECT_EXIT(passed("egd:egd",
	                   [] {
		                   setenv("LISTEN_PID", "1", 1);
		                   const auto found = take_passed_listeners();
		                   return found && found->empty() && fcntl(3, F_GETFD) == 0;
	                   }),
	            testing::ExitedWithCode(0), "");
	EXPECT_EXIT(passed("egd:egd",
	                   [] {
		                   const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		                   if (null < 0 || dup2(null, 4) < 0)
			                   return false;
		                   const auto found = take_passed_listeners();
		                   return !found && found.error().code == ExitCode::usage;
	                   }),
	            testing::ExitedWithCode(0), "");
}

TEST(Listener, SocketsOfOtherTypesHaveNoAddress)
{
	const FileDescriptor netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
	EXPECT_EQ(address_of(netlink).error().code, ExitCode::usage);
	EXPECT_FALSE(address_of(FileDescriptor()));
	const FileDescriptor unnamed(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	EXPECT_TRUE(address_of(unnamed)->is_local());
}

} // namespace
