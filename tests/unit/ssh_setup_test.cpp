// SPDX-License-Identifier: GPL-2.0-or-later
// Both ends of `ssh-setup`, with the real ssh-keygen, in temporary folders.
#include "fake_tree.h"
#include "paths.h"
#include "run_hwrngctl.h"

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

namespace fs = std::filesystem;

// Two public keys without private keys.
constexpr const char *key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
constexpr const char *other_key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/";

unsigned mode_of(const fs::path &path)
{
	struct stat status = {};
	return lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

class SshSetup : public testing::Test {
protected:
	void SetUp() override
	{
		fs::create_directories(tree_.at("/etc"));
		fs::create_directory(tree_.at("/home"));
		fs::permissions(tree_.at("/home"), fs::perms::owner_all);
		tree_.file("/etc/hwrngd.conf", "user = \"root\"\n");
	}

	[[nodiscard]] Ran client(const std::string &arguments) const
	{
		return run(tree_, "ssh-setup client bytes@host.example " + arguments);
	}
	[[nodiscard]] Ran host(const std::string &arguments) const
	{
		return run(tree_, "ssh-setup host --home " + tree_.at("/home").string() + " " + arguments);
	}
	[[nodiscard]] std::string keys() const { return tree_.text("/home/.ssh/authorized_keys"); }

	/// Quotes a word for the shell.
	static std::string word(const std::string &text) { return "'" + text + "'"; }

	FakeTree tree_;
};

class SshSetupClient : public SshSetup {
	void SetUp() override
	{
		SshSetup::SetUp();
		if (geteuid() != 0)
			GTEST_SKIP() << "only root can give the key to another user";
	}
};

TEST_F(SshSetupClient, CreatesAKeyAndPinsTheHostKey)
{
	const auto ran = client("--host-key " + word(key));
	ASSERT_EQ(ran.code, 0) << ran.err;
	EXPECT_EQ(tree_.text("/etc/hwrngd/ssh/known_hosts"), std::string("host.example ") + key + "\n");
	EXPECT_EQ(mode_of(tree_.at("/etc/hwrngd/ssh")), 0755U);
	EXPECT_EQ(mode_of(tree_.at("/etc/hwrngd/ssh/identity")), 0600U);
	EXPECT_EQ(mode_of(tree_.at("/etc/hwrngd/ssh/identity.pub")), 0644U);
	EXPECT_EQ(mode_of(tree_.at("/etc/hwrngd/ssh/known_hosts")), 0644U);
	const auto own = tree_.text("/etc/hwrngd/ssh/identity.pub");
	EXPECT_TRUE(own.starts_with("ssh-ed25519 AAAA")) << own;
	EXPECT_TRUE(ran.out.contains("--key '" + own.substr(0, own.find(' ', 12)))) << ran.out;
	EXPECT_TRUE(ran.out.contains("[source.\"host.example\"]\nssh = \"bytes@host.example\"\n"))
	    << ran.out;
	EXPECT_TRUE(ran.out.contains("SHA256:")) << ran.out;

	const auto again = client("--host-key " + word(std::string(key) + " root@host"));
	EXPECT_EQ(again.code, 0) << again.err;
	EXPECT_FALSE(again.out.contains("\n+ ")) << "nothing is left to do: " << again.out;
	EXPECT_EQ(tree_.text("/etc/hwrngd/ssh/identity.pub"), own);
	EXPECT_EQ(tree_.text("/etc/hwrngd/ssh/known_hosts"), std::string("host.example ") + key + "\n");
}

TEST_F(SshSetupClient, AnotherHostKeyIsAcceptedOnlyWithReplace)
{
	tree_.file("/etc/hwrngd/ssh/known_hosts",
	           std::string("host.example.net ") + key + "\nhost.example " + key + "\n");
	const auto ran = client("--host-key " + word(other_key));
	EXPECT_EQ(ran.code, 1);
	EXPECT_TRUE(ran.err.contains("--replace")) << ran.err;
	EXPECT_TRUE(tree_.text("/etc/hwrngd/ssh/known_hosts").ends_with(std::string(key) + "\n"));
	EXPECT_EQ(client("--replace --host-key " + word(other_key)).code, 0);
	EXPECT_EQ(tree_.text("/etc/hwrngd/ssh/known_hosts"),
	          std::string("host.example.net ") + key + "\nhost.example " + other_key + "\n");
}

TEST_F(SshSetupClient, ADryRunChangesNothing)
{
	const auto ran = client("--dry-run --host-key " + word(key));
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_TRUE(ran.out.contains("+ ssh-keygen -q -t ed25519 -N '' -C ")) << ran.out;
	EXPECT_TRUE(ran.out.contains(std::string("known_hosts: add the line host.example ") + key))
	    << ran.out;
	EXPECT_FALSE(fs::exists(tree_.at("/etc/hwrngd")));
	EXPECT_TRUE(client("--dry-run").out.contains("+ ssh-keyscan "));
}

TEST_F(SshSetupClient, JsonHasTheStepsAndTheKey)
{
	const auto ran = client("--output=json --host-key " + word(key));
	ASSERT_EQ(ran.code, 0) << ran.err;
	const auto document = nlohmann::json::parse(ran.out);
	EXPECT_EQ(document["dry_run"], false);
	EXPECT_EQ(document["steps"].size(), 6U) << ran.out;
	EXPECT_TRUE(document["public_key"].get<std::string>().starts_with("ssh-ed25519 AAAA"));
	EXPECT_TRUE(document["configuration"].get<std::string>().starts_with("[source."));
}

TEST_F(SshSetupClient, InvalidOptionsAreRefusedBeforeAnythingIsDone)
{
	EXPECT_EQ(run(tree_, "ssh-setup client host.example --host-key " + word(key)).code, 2);
	EXPECT_EQ(run(tree_, "ssh-setup client -- -oProxyCommand=id@host").code, 2);
	EXPECT_EQ(client("--host-key 'ssh-ed25519 AAAA'").code, 2) << "too short for a key";
	EXPECT_EQ(client("--host-key /nowhere").code, 2);
	EXPECT_EQ(client("--user nobody-of-that-name --host-key " + word(key)).code, 2);
	EXPECT_EQ(client("--source ../x --host-key " + word(key)).code, 2);
	EXPECT_EQ(client("--accept --host-key " + word(key)).code, 2);
	EXPECT_FALSE(fs::exists(tree_.at("/etc/hwrngd")));
}

TEST_F(SshSetupClient, AFolderThatOthersCanChangeIsRefused)
{
	fs::create_directories(tree_.at("/etc/hwrngd/ssh"));
	fs::permissions(tree_.at("/etc/hwrngd/ssh"), fs::perms::all);
	EXPECT_EQ(client("--host-key " + word(key)).code, 4);
	EXPECT_FALSE(fs::exists(tree_.at("/etc/hwrngd/ssh/identity")));
}

TEST_F(SshSetup, TheHostAllowsAKeyBytesAndNothingElse)
{
	const auto ran = host("one --rate 100 --key " + word(std::string(key) + " hwrngd@client"));
	ASSERT_EQ(ran.code, 0) << ran.err;
	const auto line = "restrict,command=\"" + fs::canonical(hwrngctl_path).string() +
	                  " ssh-serve --client one --rate 100\" " + key + " one\n";
	EXPECT_EQ(keys(), line);
	EXPECT_EQ(mode_of(tree_.at("/home/.ssh")), 0755U);
	EXPECT_EQ(mode_of(tree_.at("/home/.ssh/authorized_keys")), 0644U);
	EXPECT_EQ(mode_of(tree_.at("/home/.local/state/hwrngd")), 0700U);

	const auto again = host("one --rate 100 --key " + word(key));
	EXPECT_EQ(again.code, 0) << again.err;
	EXPECT_FALSE(again.out.contains("+ ")) << again.out;
	EXPECT_EQ(keys(), line);

	EXPECT_EQ(host("one --rate 200 --key " + word(key)).code, 0);
	EXPECT_TRUE(keys().contains("--client one --rate 200\"")) << keys();
	EXPECT_FALSE(keys().contains("--rate 100")) << "one line for each client";
}

TEST_F(SshSetup, AnotherKeyOfAClientIsAnErrorWithARemedy)
{
	ASSERT_EQ(host("one --key " + word(key)).code, 0);
	const auto before = keys();
	const auto ran = host("one --key " + word(other_key));
	EXPECT_EQ(ran.code, 1);
	EXPECT_TRUE(ran.err.contains("`hwrngctl ssh-setup host one --remove`")) << ran.err;
	EXPECT_EQ(host("two --key " + word(key)).code, 1) << "a key is for one client";
	EXPECT_EQ(keys(), before);
	EXPECT_EQ(host("on --key " + word(other_key)).code, 0)
	    << "only the beginning of a client's name";

	EXPECT_EQ(host("one --remove").code, 0);
	EXPECT_FALSE(keys().contains("--client one "));
	EXPECT_TRUE(keys().contains("--client on "));
	EXPECT_EQ(host("one --remove").code, 0) << "nothing is left to do";
	EXPECT_EQ(host("one --key " + word(key)).code, 0);
}

TEST_F(SshSetup, OtherLinesAreKeptAndOtherUsesOfAKeyAreRefused)
{
	tree_.file("/home/.ssh/authorized_keys", std::string("# mine\n") + other_key + " me\n");
	EXPECT_EQ(host("one --key " + word(key)).code, 0);
	EXPECT_TRUE(keys().starts_with(std::string("# mine\n") + other_key + " me\nrestrict,"))
	    << keys();
	EXPECT_EQ(host("two --key " + word(other_key)).code, 1) << "that key is in use for a shell";
}

TEST_F(SshSetup, ADryRunOnTheHostChangesNothing)
{
	const auto ran = host("one --dry-run --key " + word(key));
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_TRUE(ran.out.contains("authorized_keys: add the line restrict,command=")) << ran.out;
	EXPECT_TRUE(fs::is_empty(tree_.at("/home")));
	const auto account =
	    run(tree_, "ssh-setup host one --dry-run --user hwrngd-nobody --key " + word(key));
	EXPECT_EQ(account.code, 0) << account.err;
	EXPECT_TRUE(account.out.contains("+ useradd --system ")) << account.out;
	EXPECT_TRUE(account.out.contains(" --password '*' ")) << account.out;
}

TEST_F(SshSetup, TheHostPrintsItsOwnKeys)
{
	tree_.file("/etc/ssh/ssh_host_ed25519_key.pub", std::string(other_key) + " root@host\n");
	const auto ran = host("one --key " + word(key));
	EXPECT_TRUE(ran.out.contains("this host's key: 256 SHA256:")) << ran.out;
	EXPECT_TRUE(ran.out.contains(std::string("--host-key '") + other_key + "'")) << ran.out;
}

TEST_F(SshSetup, AnythingButOneKeyIsRefused)
{
	for (const std::string text :
	     {"", "nonsense", "ssh-ed25519", "ssh-ed25519 AAAA", "command=\"sh\" ssh-ed25519 AAAA"})
		EXPECT_EQ(host("one --key " + word(text)).code, 2) << text;
	EXPECT_EQ(host("one --key " + word(std::string(key) + " a\n" + other_key)).code, 2);
	EXPECT_EQ(host("one").code, 2);
	EXPECT_EQ(host("'a b' --key " + word(key)).code, 2);
	EXPECT_EQ(host("'x\" y' --key " + word(key)).code, 2);
	EXPECT_TRUE(fs::is_empty(tree_.at("/home")));
	EXPECT_EQ(run(tree_, "ssh-setup").code, 2);
}

TEST_F(SshSetup, AnAccountWithoutAShellIsRefused)
{
	if (run(tree_, "ssh-setup host one --dry-run --user nobody --key " + word(key)).code == 0)
		GTEST_SKIP() << "the user nobody has a shell here";
	const auto ran = run(tree_, "ssh-setup host one --user nobody --key " + word(key));
	EXPECT_EQ(ran.code, 2);
	EXPECT_TRUE(ran.err.contains("usermod --shell /bin/sh nobody")) << ran.err;
}

} // namespace
