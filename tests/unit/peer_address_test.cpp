// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/address.h"

#include <gtest/gtest.h>

using namespace hwrngd;

namespace {

template <typename Address> std::string wrong(const Result<Address> &address)
{
	EXPECT_FALSE(address);
	if (address)
		return "";
	EXPECT_EQ(address.error().code, ExitCode::usage);
	return address.error().message;
}

TEST(PeerAddress, ParsesThoseOfEgd)
{
	const auto name = parse_egd_address("tcp:rng.example.org:8888");
	ASSERT_TRUE(name);
	EXPECT_EQ(name->host, "rng.example.org");
	EXPECT_EQ(name->port, 8888);
	EXPECT_FALSE(name->tls);
	const auto v6 = parse_egd_address("tls:[2001:db8::1]:1");
	ASSERT_TRUE(v6);
	EXPECT_EQ(v6->host, "2001:db8::1");
	EXPECT_TRUE(v6->tls);
	EXPECT_EQ(parse_egd_address("tcp:192.0.2.1:65535")->host, "192.0.2.1");
	const auto local = parse_egd_address("unix:/run/a b:1");
	ASSERT_TRUE(local);
	EXPECT_EQ(local->path, "/run/a b:1");
	EXPECT_TRUE(local->host.empty());
}

TEST(PeerAddress, NamesErrorsInThoseOfEgd)
{
	for (const char *text : {"", "/run/egd", "udp:host:1", "host:8888", "tcp"})
		EXPECT_EQ(wrong(parse_egd_address(text)),
		          "is not unix:/PATH, tcp:HOST:PORT or tls:HOST:PORT");
	EXPECT_EQ(wrong(parse_egd_address("unix:egd")), "has no absolute path: write unix:/PATH");
	for (const char *text : {"tcp:", "tcp:host", "tcp:host:", "tcp:host:0", "tls:host:65536",
	                         "tcp:host:-1", "tcp:host:egd", "tcp:[::1]"})
		EXPECT_EQ(wrong(parse_egd_address(text)),
		          "does not end with a port: add one of :1 to :65535")
		    << text;
	for (const char *text : {"tcp::1", "tcp:::1:1", "tcp:-o:1", "tcp:.a:1", "tcp:a b:1",
	                         "tcp:a/b:1", "tls:[::1:1", "tls:\xc3\xa4:1"})
		EXPECT_TRUE(wrong(parse_egd_address(text)).starts_with("has no host: ")) << text;
	for (const char *text : {"tcp:[host]:1", "tcp:[]:1", "tcp:[192.0.2.1]:1"})
		EXPECT_TRUE(wrong(parse_egd_address(text)).starts_with("has no IPv6 address")) << text;
}

TEST(PeerAddress, ParsesThoseOfSsh)
{
	const auto usual = parse_ssh_address("hwrngd-ssh@rng.example.org");
	ASSERT_TRUE(usual);
	EXPECT_EQ(usual->user, "hwrngd-ssh");
	EXPECT_EQ(usual->host, "rng.example.org");
	EXPECT_EQ(usual->port, 22);
	EXPECT_EQ(parse_ssh_address("a@b:2222")->port, 2222);
	EXPECT_EQ(parse_ssh_address("a@[::1]")->host, "::1");
	EXPECT_EQ(parse_ssh_address("a@[::1]")->port, 22);
	EXPECT_EQ(parse_ssh_address("a@[::1]:23")->port, 23);
}

TEST(PeerAddress, AcceptsNothingForSshThatLooksLikeAnOption)
{
	for (const char *text : {"", "host", "@host", "-oProxyCommand=x@host", "a b@host", "a\n@b"})
		EXPECT_EQ(wrong(parse_ssh_address(text)), "is not USER@HOST or USER@HOST:PORT") << text;
	for (const char *text : {"a@", "a@-oProxyCommand=x", "a@b@c", "a@::1", "a@b c"})
		EXPECT_TRUE(wrong(parse_ssh_address(text)).starts_with("has no host: ")) << text;
	EXPECT_EQ(wrong(parse_ssh_address("a@b:0")),
	          "does not end with a port: add one of :1 to :65535");
	EXPECT_TRUE(wrong(parse_ssh_address("a@[b]")).starts_with("has no IPv6 address"));
}

} // namespace
