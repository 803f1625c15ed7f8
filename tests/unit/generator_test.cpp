// SPDX-License-Identifier: GPL-2.0-or-later
// Generators and commands, with real FIFOs, terminals and processes.
#include "base/file_descriptor.h"
#include "fake_broker.h"
#include "fake_tree.h"
#include "processes.h"
#include "source/source.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <termios.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

std::string read_text(Source &source, size_t most = 100)
{
	std::string text(most, '\0');
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): to read bytes as text
	const auto n = source.read({reinterpret_cast<uint8_t *>(text.data()), text.size()}, 5s);
	return n ? text.substr(0, *n) : "error: " + n.error().message;
}

std::unique_ptr<Source> command(const std::vector<std::string> &words)
{
	return open_command(quoted(words), [words] { return start_program(words); });
}

std::string fifo(const FakeTree &tree)
{
	auto path = tree.at("/fifo").string();
	EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
	return path;
}

TEST(Generator, AFifoOutlivesItsWriters)
{
	FakeTree tree;
	const auto path = fifo(tree);
	auto source = open_generator(Root(), path, 0);
	ASSERT_TRUE(source) << source.error().message;
	std::ofstream(path) << "one";
	EXPECT_EQ(read_text(**source), "one");
	std::array<uint8_t, 8> out{};
	const auto begin = std::chrono::steady_clock::now();
	const auto nothing = (*source)->read(out, 100ms);
	ASSERT_FALSE(nothing);
	EXPECT_EQ(nothing.error().number, ETIMEDOUT)
	    << "the FIFO does not end when its last writer closes it";
	EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
	std::ofstream(path) << "two";
	EXPECT_EQ(read_text(**source), "two");
}

TEST(Generator, IsOpenedWhereAUnitHidesIt)
{
	const FakeTree seen;
	FakeTree hidden;
	hidden.file("/dev/other", "");
	const auto path = hidden.at("/dev/fifo").string();
	ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
	auto root = seen.root();
	root.ask(std::make_shared<FakeBroker>(hidden.root()));
	auto source = open_generator(root, "/dev/fifo", 0);
	ASSERT_TRUE(source) << source.error().message;
	std::ofstream(path) << "one";
	EXPECT_EQ(read_text(**source), "one");
	const auto missing = open_generator(root, "/dev/missing", 0);
	ASSERT_FALSE(missing);
	EXPECT_EQ(missing.error().code, ExitCode::no_source);
}

TEST(Generator, IsOpenForOneAlone)
{
	FakeTree tree;
	const auto path = fifo(tree);
	{
		const auto first = open_generator(Root(), path, 0);
		ASSERT_TRUE(first);
		const auto second = open_generator(Root(), path, 0);
		ASSERT_FALSE(second);
		EXPECT_EQ(second.error().number, EBUSY);
	}
	EXPECT_TRUE(open_generator(Root(), path, 0));
}

TEST(Generator, OfAFileWhatIsAppendedIsReadOnce)
{
	FakeTree tree;
	tree.file("/file", "old bytes");
	auto source = open_generator(tree.root(), "/file", 0);
	ASSERT_TRUE(source) << source.error().message;
	std::array<uint8_t, 8> out{};
	const auto nothing = (*source)->read(out, 100ms);
	ASSERT_FALSE(nothing);
	EXPECT_EQ(nothing.error().number, ETIMEDOUT) << "the source waits at the end of the file";
	std::ofstream(tree.at("/file"), std::ios::app) << "new";
	EXPECT_EQ(read_text(**source), "new");
	EXPECT_FALSE((*source)->read(out, 100ms));
}

TEST(Generator, AnythingElseIsRefusedAndWhatIsMissingIsNamed)
{
	const FakeTree tree;
	const auto folder = open_generator(tree.root(), "/", 0);
	ASSERT_FALSE(folder);
	EXPECT_EQ(folder.error().code, ExitCode::usage);
	EXPECT_NE(folder.error().message.find("is not a FIFO"), std::string::npos);
	const auto missing = open_generator(tree.root(), "/missing", 0);
	ASSERT_FALSE(missing);
	EXPECT_EQ(missing.error().code, ExitCode::no_source);
	EXPECT_NE(missing.error().message.find("/missing"), std::string::npos);
}

TEST(Generator, ASerialLineIsMadeRawAndPutBack)
{
	const FileDescriptor device(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
	ASSERT_TRUE(device);
	ASSERT_EQ(grantpt(device.get()), 0);
	ASSERT_EQ(unlockpt(device.get()), 0);
	const std::string path = ptsname(device.get()); // NOLINT: there is only one thread
	const FileDescriptor line(open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
	struct termios before = {};
	ASSERT_EQ(tcgetattr(line.get(), &before), 0);
	ASSERT_NE(before.c_lflag & ICANON, 0U);

	EXPECT_FALSE(open_generator(Root(), path, 12345)) << "not a speed";
	struct termios now = {};
	{
		auto source = open_generator(Root(), path, 115200);
		ASSERT_TRUE(source) << source.error().message;
		ASSERT_EQ(tcgetattr(line.get(), &now), 0);
		EXPECT_EQ(now.c_lflag & (ICANON | ECHO | ISIG), 0U);
		EXPECT_EQ(cfgetispeed(&now), static_cast<speed_t>(B115200));
		// A line that is not raw would hold back, change or interpret these bytes.
		ASSERT_EQ(write(device.get(), "\r\x03\x11z", 4), 4);
		EXPECT_EQ(read_text(**source), "\r\x03\x11z");
	}
	ASSERT_EQ(tcgetattr(line.get(), &now), 0);
	EXPECT_EQ(now.c_lflag, before.c_lflag);
	EXPECT_EQ(now.c_iflag, before.c_iflag);
}

TEST(Command, ItsOutputIsRead)
{
	auto source = command({"printf", "%s", "some bytes"});
	EXPECT_EQ(read_text(*source), "some bytes");
	EXPECT_EQ(read_text(*source), "some bytes") << "it is started again";
}

TEST(Command, FailuresAreNamed)
{
	EXPECT_EQ(read_text(*command({"false"})), "error: `false`: exited with status 1");
	EXPECT_EQ(read_text(*command({"true"})), "error: `true`: ended without output");
	EXPECT_EQ(read_text(*command({"/no/such", "program"})),
	          "error: `/no/such program`: No such file or directory");
	auto silent = command({"sleep", "60"});
	std::array<uint8_t, 8> out{};
	const auto nothing = silent->read(out, 100ms);
	ASSERT_FALSE(nothing);
	EXPECT_EQ(nothing.error().number, ETIMEDOUT);
}

TEST(Command, EndsWithItsSourceAndWithItsChildren)
{
	pid_t child = 0;
	{
		auto source = command({"sh", "-c", "sleep 60 & echo $!; wait"});
		child = std::stoi(read_text(*source));
		ASSERT_EQ(kill(child, 0), 0);
	}
	EXPECT_TRUE(has_ended(child));
}

TEST(Command, OneThatIgnoresSigtermEndsAllTheSame)
{
	pid_t child = 0;
	{
		auto source = command({"sh", "-c", "trap '' TERM; echo $$; exec sleep 60"});
		child = std::stoi(read_text(*source));
	}
	EXPECT_TRUE(has_ended(child));
}

TEST(Command, OneThatClosesItsOutputAndLingersIsEnded)
{
	const auto begin = std::chrono::steady_clock::now();
	auto source = command({"sh", "-c", "trap '' TERM; printf x; exec sleep 60 >&-"});
	EXPECT_EQ(read_text(*source), "x");
	EXPECT_EQ(read_text(*source), "x") << "it is started again";
	EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
}

} // namespace
