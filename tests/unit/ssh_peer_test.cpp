// SPDX-License-Identifier: GPL-2.0-or-later
// The SSH peer with a fake ssh(1), which can fail in ways that the real one cannot be made to fail.
// tests/peers/ssh uses the real one.
#include "pull/ssh_peer.h"

#include "fake_tree.h"
#include "processes.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

/// The folders that hold sockets of peers.
std::set<std::string> folders()
{
	std::set<std::string> found;
	for (const auto &entry : fs::directory_iterator("/tmp"))
		if (entry.path().filename().string().starts_with("hwrngd-ssh-"))
			found.insert(entry.path());
	return found;
}

class SshPeer : public testing::Test {
protected:
	/// From now on ssh is this script. "$@" are its arguments; $bytes is the last one, the request.
	void ssh(const std::string &script)
	{
		tree_.file("/bin/ssh", "#!/bin/sh\nfor bytes; do :; done\necho \"$@\" >>" +
		                           tree_.at("/asked").string() + "\n" + script + "\n");
		fs::permissions(tree_.at("/bin/ssh"), fs::perms::owner_all);
		ASSERT_EQ(setenv("PATH", (tree_.at("/bin").string() + ":" + path_).c_str(), 1), 0);
	}
	void TearDown() override { ASSERT_EQ(setenv("PATH", path_.c_str(), 1), 0); }

	[[nodiscard]] static std::unique_ptr<Peer> peer()
	{
		auto made = ssh_peer({.user = "bytes", .host = "host.example", .port = 2222}, "/k/identity",
		                     "/k/known_hosts");
		EXPECT_TRUE(made) << made.error().message;
		return std::move(*made);
	}

	/// Pulls, and returns the bytes or "error: ...".
	static std::string pull(Peer &peer, size_t bytes, std::chrono::milliseconds limit = 5s)
	{
		std::string text(bytes, '\xee');
		// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): to read bytes as text
		const std::span out(reinterpret_cast<uint8_t *>(text.data()), text.size());
		const auto got = peer.pull(out, limit);
		if (got)
			return text.substr(0, *got);
		EXPECT_EQ(text, std::string(bytes, '\0')) << "bytes that came before the error are wiped";
		return "error: " + got.error().message;
	}

	FakeTree tree_;

private:
	std::string path_ = std::getenv("PATH");
};

TEST_F(SshPeer, AsksForANumberAndTrustsNobodyElse)
{
	ssh("printf abcd");
	EXPECT_EQ(pull(*peer(), 4), "abcd");
	const auto asked = tree_.text("/asked");
	EXPECT_TRUE(asked.ends_with(" -p 2222 -l bytes -- host.example 4\n")) << asked;
	EXPECT_TRUE(asked.starts_with("-F none -T ")) << asked;
	for (const auto *option : {"BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes",
	                           "UserKnownHostsFile=/k/known_hosts", "IdentityFile=/k/identity",
	                           "GlobalKnownHostsFile=/dev/null", "ConnectTimeout=5",
	                           "ServerAliveInterval=5", "ControlMaster=auto", "IdentityAgent=none"})
		EXPECT_TRUE(asked.contains(std::string(" -o ") + option + " ")) << option;
}

TEST_F(SshPeer, FewerBytesThanAskedForAreThose)
{
	ssh("printf ab");
	EXPECT_EQ(pull(*peer(), 4), "ab");
}

TEST_F(SshPeer, MoreBytesThanAskedForAreRefused)
{
	ssh("printf abcde");
	EXPECT_EQ(pull(*peer(), 4), "error: ssh bytes@[host.example]:2222: printed more than the "
	                            "requested 4 bytes");
	ssh("exec cat /dev/zero");
	EXPECT_TRUE(pull(*peer(), 512).starts_with("error: ")) << "endless output is refused too";
}

TEST_F(SshPeer, NothingIsAnError)
{
	ssh("exit 0");
	EXPECT_EQ(pull(*peer(), 4), "error: ssh bytes@[host.example]:2222: returned no data");
}

TEST_F(SshPeer, BytesOfWhoFailsAreNotTaken)
{
	ssh("printf ab; echo oh >&2; exit 75");
	EXPECT_EQ(pull(*peer(), 4),
	          "error: ssh bytes@[host.example]:2222: the host refused (status 75): oh");
	ssh("kill -KILL $$");
	EXPECT_EQ(pull(*peer(), 4), "error: ssh bytes@[host.example]:2222: killed by signal 9");
}

TEST_F(SshPeer, OnlyTheLastLineOfComplaintsIsTold)
{
	ssh(R"(printf 'one\ntwo \033[31m\r\n\n' >&2; exit 255)");
	EXPECT_EQ(pull(*peer(), 4), "error: ssh bytes@[host.example]:2222: two ?[31m");
	ssh("head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; echo end >&2; echo; echo last >&2; exit "
	    "255");
	EXPECT_TRUE(pull(*peer(), 4).ends_with(": last")) << "however much the program wrote";
}

TEST_F(SshPeer, AChangedHostKeyHasAWayOut)
{
	ssh("echo '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @' >&2; "
	    "echo 'Host key verification failed.' >&2; exit 255");
	const auto said = pull(*peer(), 4);
	EXPECT_TRUE(said.contains("`hwrngctl ssh-setup client bytes@host.example:2222 --replace`"))
	    << said;
	EXPECT_TRUE(said.contains("/k/known_hosts")) << said;
}

TEST_F(SshPeer, WhoIsSilentIsKilled)
{
	ssh("echo $$ >" + tree_.at("/pid").string() + "; printf ab; sleep 60");
	const auto begin = std::chrono::steady_clock::now();
	EXPECT_EQ(pull(*peer(), 4, 300ms),
	          "error: ssh bytes@[host.example]:2222: no answer within 0.3 s");
	EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
	EXPECT_TRUE(has_ended(std::stoi(tree_.text("/pid"))));
}

TEST_F(SshPeer, WhoComplainsWithoutEndIsKilled)
{
	ssh("exec cat /dev/zero >&2");
	EXPECT_TRUE(pull(*peer(), 4, 300ms).contains("no answer within"));
}

TEST_F(SshPeer, AProcessThatHoldsThePipesKeepsNobodyWaiting)
{
	ssh("sleep 60 & printf abcd");
	const auto begin = std::chrono::steady_clock::now();
	EXPECT_EQ(pull(*peer(), 4, 20s), "abcd");
	EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(SshPeer, TheConnectionEndsWithAnErrorAndInTheEnd)
{
	// The ssh(1) that keeps a connection makes its socket: the word after -S.
	const std::string find = "while [ \"$1\" != -S ]; do shift; done; ";
	ssh("case $* in *'-O exit'*) exit ;; esac\n" + find +
	    ": >\"$2\"; case $bytes in 4) printf abcd ;; *) exit 64 ;; esac");
	const auto exits = [&] {
		const auto asked = tree_.text("/asked");
		size_t count = 0;
		for (size_t at = 0; (at = asked.find("-O exit", at)) != std::string::npos; at++)
			count++;
		return count;
	};
	const auto before = folders();
	{
		const auto kept = peer();
		EXPECT_EQ(folders().size(), before.size() + 1);
		EXPECT_EQ(pull(*kept, 4), "abcd");
		EXPECT_EQ(pull(*kept, 4), "abcd");
		EXPECT_EQ(exits(), 0U);
		EXPECT_TRUE(pull(*kept, 5).starts_with("error: "));
		EXPECT_EQ(exits(), 1U);
		EXPECT_EQ(pull(*kept, 4), "abcd");
	}
	EXPECT_EQ(exits(), 2U);
	EXPECT_EQ(folders(), before);
}

TEST_F(SshPeer, NoSshIsAnError)
{
	ASSERT_EQ(setenv("PATH", tree_.at("/nothing").c_str(), 1), 0);
	EXPECT_EQ(pull(*peer(), 4),
	          "error: ssh bytes@[host.example]:2222: ssh: No such file or directory");
}

TEST_F(SshPeer, NamesThatSshWouldReadOtherwiseAreRefused)
{
	for (const auto *name : {"identity", "/a b", "/a%d", "/a\"b", "/$HOME", "/a\nb", ""}) {
		const auto made = ssh_peer({.user = "u", .host = "h"}, name, "/k");
		ASSERT_FALSE(made) << name;
		EXPECT_EQ(made.error().code, ExitCode::usage);
		EXPECT_FALSE(ssh_peer({.user = "u", .host = "h"}, "/k", name)) << name;
	}
}

TEST(KnownHost, HasItsPortUnlessItIsTheUsualOne)
{
	EXPECT_EQ(known_host({.user = "u", .host = "h", .port = 22}), "h");
	EXPECT_EQ(known_host({.user = "u", .host = "2001:db8::1", .port = 222}), "[2001:db8::1]:222");
}

} // namespace
