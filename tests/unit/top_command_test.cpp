// SPDX-License-Identifier: GPL-2.0-or-later
// hwrngctl top on unsuitable terminals. For suitable ones, see tests/vm/cases/top.sh.
#include "fake_tree.h"
#include "paths.h"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include <gtest/gtest.h>

using namespace hwrngd::test;

namespace {

using namespace std::chrono_literals;

/// `hwrngctl top` on a terminal of its own.
class Top {
public:
	Top(const FakeTree &tree, const char *type)
	{
		const auto root = "--root=" + tree.at("/").string();
		child_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
		if (child_ != 0)
			return;
		setenv("TERM", type, 1);      // NOLINT(concurrency-mt-unsafe)
		std::signal(SIGHUP, SIG_IGN); // as under nohup(1)
		execl(hwrngctl_path, "hwrngctl", root.c_str(), "top", "--delay=60", nullptr);
		std::_Exit(127);
	}
	Top(const Top &) = delete;
	Top &operator=(const Top &) = delete;
	~Top()
	{
		if (terminal_ >= 0)
			::close(terminal_);
		if (child_ > 0) {
			::kill(child_, SIGKILL);
			::waitpid(child_, nullptr, 0);
		}
	}

	/// Returns its output until that contains `end`, it exits, or 10 s have passed.
	[[nodiscard]] std::string read(const std::string &end) const
	{
		std::string seen;
		std::array<char, 4096> buffer{};
		struct pollfd ready = {.fd = terminal_, .events = POLLIN, .revents = 0};
		while (seen.find(end) == std::string::npos && ::poll(&ready, 1, 10000) == 1) {
			const auto n = ::read(terminal_, buffer.data(), buffer.size());
			if (n <= 0)
				break;
			seen.append(buffer.data(), static_cast<size_t>(n));
		}
		return seen;
	}

	void write(const std::string &keys) const
	{
		EXPECT_EQ(::write(terminal_, keys.data(), keys.size()), std::ssize(keys));
	}

	void hang_up()
	{
		::close(terminal_);
		terminal_ = -1;
	}

	/// Its exit code, or -1 if it keeps running.
	int ended()
	{
		for (int i = 0; i < 100; i++) {
			int status = 0;
			if (::waitpid(child_, &status, WNOHANG) == child_) {
				child_ = -1;
				return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			}
			std::this_thread::sleep_for(100ms);
		}
		return -1;
	}

private:
	int terminal_ = -1;
	pid_t child_ = -1;
};

TEST(TopCommand, LeavesThePromptsLineEmpty)
{
	const FakeTree tree;
	Top top(tree, "vt100"); // which has no second screen to switch back from
	EXPECT_TRUE(top.read("q quit").contains("q quit"));
	top.write("q");
	EXPECT_EQ(top.ended(), 0);
	const auto last = top.read("never");
	EXPECT_TRUE(last.find("\033[J") != std::string::npos ||
	            last.find("\033[K") != std::string::npos)
	    << last;
}

TEST(TopCommand, ExitsWhenItsTerminalHangsUp)
{
	const FakeTree tree;
	Top top(tree, "vt100");
	EXPECT_TRUE(top.read("q quit").contains("q quit"));
	top.hang_up();
	EXPECT_EQ(top.ended(), 0);
}

TEST(TopCommand, RefusesATerminalThatCannotMoveItsCursor)
{
	const FakeTree tree;
	for (const char *type : {"dumb", "nonsense", ""}) {
		Top top(tree, type);
		const auto said = top.read("--batch");
		EXPECT_NE(said.find("the terminal \"" + std::string(type) + "\" (TERM)"), std::string::npos)
		    << said;
		EXPECT_EQ(top.ended(), 69) << type;
	}
}

} // namespace
