// SPDX-License-Identifier: GPL-2.0-or-later
// `ssh-serve`, which sshd runs for a client, with an EGD server that can misbehave.
#include "fake_tree.h"
#include "run_hwrngctl.h"
#include "sockets.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

class SshServe : public testing::Test {
protected:
	/// Serves one client after the other. Answers each request 01 N with min(N, `ready`) letters,
	/// and reduces `ready` by that. With `lie`, it returns that many more bytes than requested.
	void serve(size_t ready, size_t lie = 0)
	{
		std::filesystem::create_directories(tree_.at("/run"));
		listener_ = listen_unix(tree_.at("/run/hwrngd-egd").string(), SOCK_STREAM);
		server_ = std::thread([this, ready, lie] {
			auto left = ready;
			while (true) {
				const FileDescriptor client(accept4(listener_.get(), nullptr, nullptr, 0));
				if (!client)
					return;
				std::array<uint8_t, 2> request{};
				while (recv(client.get(), request.data(), 2, MSG_WAITALL) == 2) {
					const auto n = std::min<size_t>(request[1], left) + lie;
					left -= std::min(left, n);
					std::string answer(1 + n, 'r');
					answer[0] = static_cast<char>(n);
					asked_ += request[1];
					if (send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0)
						break;
				}
			}
		});
	}
	void TearDown() override
	{
		if (listener_)
			shutdown(listener_.get(), SHUT_RDWR); // accept(2) ends
		if (server_.joinable())
			server_.join();
	}

	[[nodiscard]] Ran ask(const std::string &what, const std::string &options = "--rate 0") const
	{
		EXPECT_EQ(setenv("SSH_ORIGINAL_COMMAND", what.c_str(), 1), 0);
		EXPECT_EQ(setenv("XDG_STATE_HOME", tree_.at("/state").c_str(), 1), 0);
		auto ran = run(tree_, "ssh-serve " + options);
		unsetenv("SSH_ORIGINAL_COMMAND");
		unsetenv("XDG_STATE_HOME");
		return ran;
	}

	FakeTree tree_;
	std::atomic<size_t> asked_ = 0;

private:
	FileDescriptor listener_;
	std::thread server_;
};

TEST_F(SshServe, ReturnsAsManyBytesAsRequested)
{
	serve(100000);
	for (const size_t bytes : {1U, 16U, 255U, 256U, 511U, 512U}) {
		const auto ran = ask(std::to_string(bytes));
		EXPECT_EQ(ran.code, 0) << ran.err;
		EXPECT_EQ(ran.out, std::string(bytes, 'r'));
		EXPECT_EQ(ran.err, "");
	}
}

TEST_F(SshServe, RefusesEverythingElse)
{
	serve(100000);
	for (const auto *what :
	     {"", "0", "513", "-1", "+1", "1 ", " 1", "01", "0x10", "1e2", "16; id", "16\nid", "$(id)",
	      "18446744073709551617", "scp -t /", "internal-sftp", "--help", "\xff"}) {
		const auto ran = ask(what);
		EXPECT_EQ(ran.code, 64) << what;
		EXPECT_EQ(ran.out, "") << what;
		EXPECT_EQ(ran.err,
		          "hwrngctl: ssh-serve returns random bytes: request a number of bytes, 1 to "
		          "512, and nothing else\n");
	}
	const auto ran = run(tree_, "ssh-serve");
	EXPECT_EQ(ran.code, 64) << "by hand";
	EXPECT_EQ(asked_, 0U);
}

TEST_F(SshServe, ReturnsWhatIsReadyAndThenSaysThatNothingIs)
{
	serve(300);
	EXPECT_EQ(ask("512").out.size(), 300U);
	const auto dry = ask("512");
	EXPECT_EQ(dry.code, 75);
	EXPECT_EQ(dry.out, "");
	EXPECT_TRUE(dry.err.contains("has no bytes ready")) << dry.err;
}

TEST_F(SshServe, AServerThatReturnsTooMuchIsRefused)
{
	serve(300, 1);
	const auto ran = ask("16");
	EXPECT_EQ(ran.code, 5);
	EXPECT_EQ(ran.out, "");
}

TEST_F(SshServe, NoServerIsUnavailable)
{
	const auto ran = ask("16");
	EXPECT_EQ(ran.code, 69);
	EXPECT_TRUE(ran.err.contains("hwrngd-egd.socket")) << ran.err;
	EXPECT_EQ(ask("16", "--rate 0 --from tcp:127.0.0.1:1").code, 2);
	EXPECT_EQ(ask("16", "--rate 0 --from unix:/nowhere/at/all").code, 3);
}

TEST_F(SshServe, AClientGetsItsRateAndOneRequest)
{
	serve(100000);
	EXPECT_EQ(ask("512", "--client one --rate 1").code, 0);
	const auto soon = ask("512", "--client one --rate 1");
	EXPECT_EQ(soon.code, 75);
	EXPECT_EQ(soon.out, "");
	EXPECT_TRUE(soon.err.contains("gives this client 1 bytes per second; try again in "))
	    << soon.err;
	EXPECT_EQ(ask("512", "--client two --rate 1").code, 0) << "another client has its own rate";
	EXPECT_EQ(asked_, 1024U) << "a refused client costs the server nothing";

	// The bytes of one second at once, then as many as the rate allows.
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(ask("512", "--client three --rate 4096").code, 0) << i;
	struct stat state = {};
	ASSERT_EQ(stat(tree_.at("/state/hwrngd/ssh-three").c_str(), &state), 0);
	EXPECT_EQ(state.st_mode & 0777U, 0600U);
}

TEST_F(SshServe, ARecordOfAnotherBootOrNonsenseDelaysNoClient)
{
	serve(100000);
	tree_.file("/proc/sys/kernel/random/boot_id", "this\n");
	EXPECT_EQ(ask("512", "--client one --rate 1").code, 0);
	EXPECT_EQ(ask("512", "--client one --rate 1").code, 75);
	tree_.file("/proc/sys/kernel/random/boot_id", "next\n");
	EXPECT_EQ(ask("512", "--client one --rate 1").code, 0);
	tree_.file("/state/hwrngd/ssh-one", "nonsense");
	EXPECT_EQ(ask("512", "--client one --rate 1").code, 0);
	EXPECT_EQ(ask("512", "--client one --rate 1").code, 75) << "it is recorded nevertheless";
	// The wait is limited, however far ahead the recorded time is.
	auto text = tree_.text("/state/hwrngd/ssh-one");
	std::ranges::fill(text.end() - 19, text.end() - 1, '9');
	tree_.file("/state/hwrngd/ssh-one", text);
	const auto ran = ask("512", "--client one --rate 1");
	EXPECT_EQ(ran.code, 75);
	EXPECT_TRUE(ran.err.contains("try again in 512 s")) << ran.err;
}

TEST_F(SshServe, WithoutAWritableRecordNothingIsReturned)
{
	serve(100000);
	tree_.file("/state", "a file");
	const auto ran = ask("16", "--client one --rate 100");
	EXPECT_EQ(ran.code, 5) << ran.err;
	EXPECT_EQ(ran.out, "");
	EXPECT_EQ(asked_, 0U);
}

TEST_F(SshServe, AClientNameIsNotAPath)
{
	for (const auto *name : {"../x", "a/b", ".x", "''"}) {
		const auto ran = ask("16", std::string("--client ") + name);
		EXPECT_EQ(ran.code, 2) << name;
	}
}

} // namespace
