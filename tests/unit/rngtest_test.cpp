// SPDX-License-Identifier: GPL-2.0-or-later
// Runs rngtest like its users do. tests/peers compares it with the rngtest of rng-tools.
#include "aes_ctr.h"
#include "fake_tree.h"
#include "paths.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <regex>
#include <string>

#include <gtest/gtest.h>

using namespace hwrngd::test;

namespace {

constexpr size_t block_bytes = 2500;

std::string aes_bytes(size_t n)
{
	std::vector<uint8_t> bytes(n);
	AesCtr().fill(bytes);
	return {bytes.begin(), bytes.end()};
}

struct Ran {
	int code = -1;
	std::string out;
	std::string err;
};

/// Runs `rngtest arguments` in a shell, with a file of these bytes as input.
Ran run(const std::string &arguments, const std::string &input, const std::string &more = "")
{
	FakeTree tree;
	tree.file("/input", input);
	const auto at = [&](const char *name) { return tree.at(name).string(); };
	const auto command = std::string("{ ") + rngtest_path + " " + arguments + "; code=$?; " + more +
	                     " exit $code; } <" + at("/input") + " >" + at("/out") + " 2>" + at("/err");
	const int status = std::system(command.c_str()); // NOLINT: the shell redirects
	return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, tree.text("/out"), tree.text("/err")};
}

/// The statistics that rngtest prints at its end, without times.
std::string statistics(uint64_t received, const std::string &sent, uint64_t good, uint64_t bad,
                       const std::array<uint64_t, 5> &failed)
{
	const auto line = [](const std::string &what, const std::string &value) {
		return "rngtest: " + what + ": " + value + "\n";
	};
	std::string text = line("bits received from input", std::to_string(received * 8));
	if (!sent.empty())
		text += line("bits sent to output", sent);
	text += line("FIPS 140-2 successes", std::to_string(good));
	text += line("FIPS 140-2 failures", std::to_string(bad));
	constexpr std::array<const char *, 5> names{"Monobit", "Poker", "Runs", "Long run",
	                                            "Continuous run"};
	for (size_t i = 0; i < names.size(); i++)
		text += line(std::string("FIPS 140-2(2001-10-10) ") + names[i], std::to_string(failed[i]));
	text += line("input channel speed", "SPEED");
	text += line("FIPS tests speed", "SPEED");
	if (!sent.empty())
		text += line("output channel speed", "SPEED");
	return text + line("Program run time", "N microseconds");
}

std::string without_times(const std::string &text)
{
	static const std::regex speed(
	    R"(\(min=[0-9]+\.[0-9]{3}; avg=[0-9]+\.[0-9]{3}; max=[0-9]+\.[0-9]{3}\)([KMGTPE]i)?bits/s)");
	static const std::regex duration("[0-9]+ microseconds");
	return std::regex_replace(std::regex_replace(text, speed, "SPEED"), duration, "N microseconds");
}

/// Removes the banner of four lines, which must be there.
std::string without_banner(const std::string &text)
{
	static const std::regex banner("^rngtest [^\n]+\nCopyright [^\n]+\n[^\n]+\n\n");
	EXPECT_TRUE(std::regex_search(text, banner)) << text;
	return std::regex_replace(text, banner, "", std::regex_constants::format_first_only);
}

const std::string start = "rngtest: starting FIPS tests...\n";
const std::string drained = "rngtest: entropy source drained\n";

TEST(Rngtest, KnownAnswer)
{
	const auto ran = run("", aes_bytes(4 + 20000 * block_bytes));
	EXPECT_EQ(without_times(without_banner(ran.err)),
	          start + drained + statistics(50000004, "", 19974, 26, {2, 2, 13, 10, 0}));
	EXPECT_EQ(ran.out, "");
	EXPECT_EQ(ran.code, 1);
}

TEST(Rngtest, GoodInputIsCode0AndAPartialBlockIsNotTested)
{
	const auto ran = run("", aes_bytes(4 + 3 * block_bytes + 2499));
	EXPECT_EQ(without_times(without_banner(ran.err)),
	          start + drained + statistics(4 + 3 * block_bytes + 2499, "", 3, 0, {}));
	EXPECT_EQ(ran.code, 0);
}

TEST(Rngtest, BadInputFailsAllItsTests)
{
	const auto ran = run("--blockcount=7", std::string(100000, '\0'));
	EXPECT_EQ(without_times(without_banner(ran.err)),
	          start + statistics(4 + 7 * block_bytes, "", 0, 7, {7, 7, 7, 7, 7}));
	EXPECT_EQ(ran.code, 1);
}

TEST(Rngtest, BlockCountEndsItAndNoMoreIsRead)
{
	const auto ran = run("-c 2", aes_bytes(4 + 4 * block_bytes), "wc -c;");
	EXPECT_EQ(without_times(without_banner(ran.err)),
	          start + statistics(4 + 2 * block_bytes, "", 2, 0, {}));
	EXPECT_EQ(ran.out, "5000\n");
	EXPECT_EQ(ran.code, 0);
}

TEST(Rngtest, PipeCopiesTheGoodBlocksFromByte8On)
{
	auto input = aes_bytes(8 + 250 * block_bytes);
	std::string good = input.substr(8);
	for (const size_t bad : {249U, 150U, 100U, 99U, 1U, 0U}) {
		input.replace(8 + bad * block_bytes, block_bytes, block_bytes, '\x11');
		good.erase(bad * block_bytes, block_bytes);
	}
	const auto ran = run("-p", input);
	EXPECT_TRUE(ran.out == good);
	EXPECT_EQ(without_times(ran.err),
	          statistics(input.size(), std::to_string(good.size() * 8), 244, 6, {6, 6, 6, 0, 6}));
	EXPECT_EQ(ran.code, 1);
}

TEST(Rngtest, BlockStatisticsEveryNBlocksButNotInPlaceOfTheLast)
{
	const auto at = [](size_t blocks) {
		return statistics(4 + blocks * block_bytes, "", blocks, 0, {});
	};
	const auto input = aes_bytes(4 + 300 * block_bytes);
	EXPECT_EQ(without_times(without_banner(run("-b 70", input).err)),
	          start + at(70) + at(140) + at(210) + at(280) + drained + at(300));
	EXPECT_EQ(without_times(without_banner(run("-b 130 -c 260", input).err)),
	          start + at(130) + at(260));
}

TEST(Rngtest, TooLittleToStartIsCode1WithoutStatistics)
{
	for (const char *input : {"", "abc"}) {
		const auto ran = run("", input);
		EXPECT_EQ(without_banner(ran.err), start + drained);
		EXPECT_EQ(ran.code, 1);
	}
	const auto piped = run("-p", "1234567");
	EXPECT_EQ(piped.err, "");
	EXPECT_EQ(piped.code, 1);
	const auto none = run("", "1234");
	EXPECT_EQ(without_times(without_banner(none.err)),
	          start + drained + statistics(4, "", 0, 0, {}));
	EXPECT_EQ(none.code, 1);
}

TEST(Rngtest, UsageErrorsAreCode10)
{
	for (const char *arguments : {"-x", "--nonsense", "-c", "-c x", "-c ''", "-c 3x", "-b -1",
	                              "-t 1.5", "-c 99999999999", "file"}) {
		const auto ran = run(arguments, "");
		EXPECT_EQ(ran.code, 10) << arguments;
		EXPECT_NE(ran.err.find("rngtest --help"), std::string::npos) << ran.err;
		EXPECT_EQ(ran.out, "");
	}
}

TEST(Rngtest, HelpAndVersionAreCode0OnStandardOutput)
{
	for (const char *option : {"--help", "-?", "--usage"}) {
		const auto ran = run(option, "");
		EXPECT_EQ(ran.code, 0);
		for (const char *known : {"--blockcount=n", "--blockstats=n", "--timedstats=n", "--pipe"})
			EXPECT_NE(ran.out.find(known), std::string::npos) << option << ": " << ran.out;
		EXPECT_EQ(ran.err, "");
	}
	for (const char *option : {"-V", "--version"}) {
		const auto ran = run(option, "");
		EXPECT_EQ(ran.code, 0);
		EXPECT_TRUE(ran.out.starts_with("rngtest (hwrngd) ")) << ran.out;
	}
}

TEST(Rngtest, OutputErrorIsCode11AndCountsUpToTheBlockThatWasLost)
{
	const auto ran = run("-p >/dev/full", aes_bytes(8 + 50 * block_bytes));
	EXPECT_EQ(without_times(ran.err),
	          "rngtest: error writing to output: No space left on device\n" +
	              statistics(8 + block_bytes, "0", 1, 0, {}));
	EXPECT_EQ(ran.code, 11);
}

TEST(Rngtest, InputErrorBeforeTheStartIsCode1)
{
	const auto ran = run("</", "");
	EXPECT_EQ(without_banner(ran.err), start + "rngtest: error reading input: Is a directory\n");
	EXPECT_EQ(ran.code, 1);
}

/// A running rngtest, with pipes to its standard input and from its standard output.
class Running {
public:
	explicit Running(const FakeTree &tree)
	{
		std::array<int, 2> input{};
		std::array<int, 2> output{};
		if (pipe2(input.data(), O_CLOEXEC) != 0 || pipe2(output.data(), O_CLOEXEC) != 0)
			std::abort();
		posix_spawn_file_actions_t actions;
		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
		posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, tree.at("/err").c_str(),
		                                 O_WRONLY | O_CREAT, 0600);
		std::array<char *, 3> arguments{const_cast<char *>(rngtest_path), const_cast<char *>("-p"),
		                                nullptr};
		// Other tests ignore SIGPIPE, so reset it here.
		sigset_t usual;
		sigemptyset(&usual);
		sigaddset(&usual, SIGPIPE);
		posix_spawnattr_t attributes;
		posix_spawnattr_init(&attributes);
		posix_spawnattr_setsigdefault(&attributes, &usual);
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
		EXPECT_EQ(
		    posix_spawn(&pid_, rngtest_path, &actions, &attributes, arguments.data(), environ), 0);
		posix_spawnattr_destroy(&attributes);
		posix_spawn_file_actions_destroy(&actions);
		close(input[0]);
		close(output[1]);
		to_ = input[1];
		from_ = output[0];
	}
	Running(const Running &) = delete;
	Running &operator=(const Running &) = delete;
	~Running()
	{
		close(to_);
		close_output();
	}

	void write(const std::string &bytes) const
	{
		ASSERT_EQ(::write(to_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
	}

	/// Reads `size` bytes, or fewer if no more come for ten seconds.
	[[nodiscard]] std::string read(size_t size) const
	{
		std::string bytes;
		pollfd waiting{from_, POLLIN, 0};
		while (bytes.size() < size && poll(&waiting, 1, 10'000) == 1) {
			std::array<char, block_bytes> buffer{};
			const ssize_t n =
			    ::read(from_, buffer.data(), std::min(buffer.size(), size - bytes.size()));
			if (n <= 0)
				break;
			bytes.append(buffer.data(), static_cast<size_t>(n));
		}
		return bytes;
	}

	void close_output()
	{
		if (from_ >= 0)
			close(from_);
		from_ = -1;
	}

	void kill(int signal) const { ::kill(pid_, signal); }

	/// Waits for the end, and returns the status of waitpid(2).
	[[nodiscard]] int wait() const
	{
		int status = 0;
		EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
		return status;
	}

private:
	pid_t pid_ = -1;
	int to_ = -1;
	int from_ = -1;
};

TEST(Rngtest, PassesABlockOnAsSoonAsItIsThereAndPrintsStatisticsOnSigterm)
{
	FakeTree tree;
	const auto input = aes_bytes(8 + 2 * block_bytes);
	Running rngtest(tree);
	rngtest.write(input.substr(0, 1000));
	rngtest.write(input.substr(1000, 1508));
	EXPECT_TRUE(rngtest.read(block_bytes) == input.substr(8, block_bytes));
	rngtest.write(input.substr(2508, 2500) + "and some of the next");
	EXPECT_TRUE(rngtest.read(block_bytes) == input.substr(2508));
	rngtest.kill(SIGTERM);
	const int status = rngtest.wait();
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
	const auto text = without_times(tree.text("/err"));
	EXPECT_NE(text.find("rngtest: bits sent to output: 40000\n"), std::string::npos) << text;
	EXPECT_NE(text.find("rngtest: FIPS 140-2 successes: 2\n"), std::string::npos) << text;
}

TEST(Rngtest, DiesOfSigpipeWhenItsReaderIsGone)
{
	FakeTree tree;
	Running rngtest(tree);
	rngtest.close_output();
	rngtest.write(aes_bytes(8 + 2 * block_bytes));
	const int status = rngtest.wait();
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) << status;
}

} // namespace
