// SPDX-License-Identifier: GPL-2.0-or-later
#include "pull/pump.h"

#include "base/file_descriptor.h"
#include "fake_tree.h"
#include "paths.h"
#include "scripted_server.h"
#include "source/source.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr Pace fast{.answer = 1s, .first_pause = 2ms, .longest_pause = 8ms};

/// First fails with each of `failures`, then gives bytes that count from 0, `size` at a time.
class Counting : public Peer {
public:
	explicit Counting(size_t size, std::vector<std::string> failures = {})
	    : size_(size), failures_(std::move(failures))
	{
	}
	Result<size_t> pull(std::span<uint8_t> out, std::chrono::milliseconds /*limit*/) override
	{
		EXPECT_EQ(out.size(), most_at_once);
		const unsigned call = calls++;
		if (call < failures_.size() && !failures_[call].empty())
			return fail(ExitCode::io_error, failures_[call]);
		for (size_t i = 0; i < size_; i++)
			out[i] = next_++;
		return size_;
	}

	std::atomic<unsigned> calls = 0;

private:
	size_t size_;
	std::vector<std::string> failures_;
	uint8_t next_ = 0;
};

/// A pump from a peer to a pipe, and our end of the pipe.
struct Pumped {
	explicit Pumped(Peer &peer)
	{
		std::signal(SIGPIPE, SIG_IGN);
		std::array<int, 2> ends{};
		EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
		output = FileDescriptor(ends[0]);
		done = std::async(std::launch::async, [this, &peer, end = ends[1]] {
			const FileDescriptor input(end);
			return pump(peer, input.get(), fast, [this](const Error *error) {
				told.push_back(error == nullptr ? "again" : error->message);
			});
		});
	}
	[[nodiscard]] Bytes read(size_t bytes) const
	{
		Bytes got(bytes);
		for (size_t at = 0; at < bytes;) {
			const auto n = ::read(output.get(), &got[at], bytes - at);
			EXPECT_GT(n, 0);
			if (n <= 0)
				break;
			at += static_cast<size_t>(n);
		}
		return got;
	}
	/// Closes the reading end.
	[[nodiscard]] Result<void> end()
	{
		output = FileDescriptor();
		return done.get();
	}

	FileDescriptor output;
	std::vector<std::string> told; ///< read it only after end()
	std::future<Result<void>> done;
};

bool within_seconds(const std::function<bool()> &good)
{
	for (int i = 0; i < 2000 && !good(); i++)
		std::this_thread::sleep_for(5ms);
	return good();
}

TEST(Pump, PullsNoMoreThanIsWanted)
{
	Counting peer(Peer::most_at_once);
	Pumped pumped(peer);
	EXPECT_TRUE(within_seconds([&] { return peer.calls.load() == 1; }));
	Bytes all;
	for (unsigned pulls = 1; pulls < 5; pulls++) {
		// Read all but one byte: then the pipe is not empty, so no pull follows.
		for (const size_t n : {Peer::most_at_once - 1, size_t{1}}) {
			std::this_thread::sleep_for(30ms);
			EXPECT_EQ(peer.calls.load(), pulls);
			const auto some = pumped.read(n);
			all.insert(all.end(), some.begin(), some.end());
		}
		EXPECT_TRUE(within_seconds([&] { return peer.calls.load() == pulls + 1; }));
	}
	EXPECT_TRUE(pumped.end()) << "closing the reading end stops it";
	for (size_t i = 0; i < all.size(); i++)
		ASSERT_EQ(all[i], static_cast<uint8_t>(i)) << "in order, each once";
	EXPECT_TRUE(pumped.told.empty());
}

TEST(Pump, TellsWhenSomethingChanges)
{
	Counting peer(1, {"a", "a", "b", "b", "", "b", ""});
	Pumped pumped(peer);
	EXPECT_EQ(pumped.read(3), (Bytes{0, 1, 2}));
	EXPECT_TRUE(pumped.end());
	EXPECT_EQ(pumped.told, (std::vector<std::string>{"a", "b", "again", "b", "again"}));
}

TEST(Pump, TriesForEverButNotFaster)
{
	Counting peer(1, std::vector<std::string>(1000, "never"));
	const auto begin = std::chrono::steady_clock::now();
	Pumped pumped(peer);
	EXPECT_TRUE(within_seconds([&] { return peer.calls.load() >= 20; }));
	// The pauses are at least 1, 2, 4, 4 ... ms.
	EXPECT_GE(std::chrono::steady_clock::now() - begin, 70ms);
	EXPECT_TRUE(pumped.end()) << "while it pauses, too";
	EXPECT_EQ(pumped.told.size(), 1U);
}

TEST(Pump, WantsAPipe)
{
	Counting peer(1);
	const FileDescriptor null(open("/dev/null", O_WRONLY | O_CLOEXEC));
	const auto done = pump(peer, null.get(), fast, [](const Error *) {});
	ASSERT_FALSE(done);
	EXPECT_EQ(done.error().code, ExitCode::usage);
	EXPECT_EQ(peer.calls.load(), 0U);
}

/// Runs the real program, started like the daemon starts it.
TEST(Pump, AReaderWhoStopsCostsTheServerOnePull)
{
	std::atomic<size_t> asked = 0;
	const ScriptedServer server({[&](const Talk &talk) {
		talk.greet();
		while (const size_t n = talk.asked()) {
			asked += n;
			talk.send(Bytes(n, static_cast<uint8_t>(asked / n)));
		}
	}});
	const auto address = fmt::format("tcp:127.0.0.1:{}", server.port());
	const std::vector<std::string> words = {hwrngd_pull_path, "test", "egd", address, "", "", ""};
	const auto source = open_command(address, [&] { return start_program(words); });
	Bytes got(255);
	ASSERT_EQ(fill(*source, got).value_or(0), got.size());
	EXPECT_EQ(got, Bytes(255, 1));
	EXPECT_TRUE(within_seconds([&] { return asked >= 2 * got.size(); }));
	std::this_thread::sleep_for(300ms);
	EXPECT_LE(asked - got.size(), Peer::most_at_once);
	ASSERT_EQ(fill(*source, got).value_or(0), got.size());
	EXPECT_EQ(got, Bytes(255, 2)) << "bytes that were pulled are not lost";
}

TEST(Pump, TheProgramSaysWhatItCannotDo)
{
	const auto code = [](std::vector<std::string> words) {
		words.insert(words.begin(), hwrngd_pull_path);
		const auto ended = run_program(words);
		EXPECT_TRUE(ended);
		return std::pair(WEXITSTATUS(ended->status), ended->complaint);
	};
	const auto usage = static_cast<int>(ExitCode::usage);
	EXPECT_EQ(code({}).first, usage);
	EXPECT_EQ(code({"x", "egd", "tcp:127.0.0.1:1"}).first, usage);
	EXPECT_EQ(code({"x", "egd", "nonsense", "", "", ""}).second,
	          "hwrngd: x: \"nonsense\" is not unix:/PATH, tcp:HOST:PORT or tls:HOST:PORT\n");
	EXPECT_EQ(code({"x", "egd", "tls:127.0.0.1:1", "/nowhere/ca.pem", "", ""}).second,
	          "hwrngd: x: tls_ca: /nowhere/ca.pem: No such file or directory\n");
	EXPECT_EQ(code({"x", "egd", "tls:127.0.0.1:1", "/dev/null", "", ""}).second,
	          "hwrngd: x: tls_ca: /dev/null: this is not a PEM file\n");
	FakeTree tree;
	tree.file("/empty.pem", "");
	const auto empty = tree.at("/empty.pem").string();
	EXPECT_EQ(
	    code({"x", "egd", "tls:127.0.0.1:1", empty, "", ""}).second,
	    fmt::format("hwrngd: x: tls_ca: {}: no start line: the file must contain the "
	                "certificates of the authorities that sign the server's certificate, in PEM\n",
	                empty));
	EXPECT_EQ(code({"x", "ssh", "nonsense", "", ""}).second,
	          "hwrngd: x: \"nonsense\" is not USER@HOST or USER@HOST:PORT\n");
	EXPECT_EQ(code({"x", "egd", "tcp:127.0.0.1:1", "", "", ""}).second,
	          "hwrngd: standard output is not a pipe: hwrngd starts this program\n");
}

} // namespace
