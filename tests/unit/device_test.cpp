// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/source.h"

#include "fake_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <thread>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

TEST(Device, ReadsAFileToItsEndInPieces)
{
	FakeTree tree;
	tree.file("/file", "0123456789");
	auto source = open_device(tree.at("/file"), 4);
	ASSERT_TRUE(source);
	std::array<uint8_t, 16> bytes{};
	EXPECT_EQ((*source)->read(bytes, 1s), size_t{4});
	EXPECT_EQ(fill(**source, bytes), size_t{6});
	EXPECT_EQ(bytes[5], '9');
	EXPECT_EQ((*source)->read(bytes, 1s), size_t{0});
}

TEST(Device, MissingFileAndFolder)
{
	FakeTree tree;
	const auto missing = open_device(tree.at("/nothing"), 4);
	ASSERT_FALSE(missing);
	EXPECT_EQ(missing.error().code, ExitCode::io_error);
	const auto folder = open_device(tree.at("/"), 4);
	ASSERT_FALSE(folder);
	EXPECT_EQ(folder.error().code, ExitCode::usage);
}

TEST(Device, AStalledReadEndsWithinTheLimit)
{
	FakeTree tree;
	ASSERT_EQ(mkfifo(tree.at("/fifo").c_str(), 0600), 0);
	// With a writer that never writes, the read neither ends nor fails.
	const FileDescriptor writer(::open(tree.at("/fifo").c_str(), O_RDWR | O_CLOEXEC));
	ASSERT_TRUE(writer);
	auto source = open_device(tree.at("/fifo"), 4);
	ASSERT_TRUE(source);
	std::array<uint8_t, 4> bytes{};
	const auto n = (*source)->read(bytes, 100ms);
	ASSERT_FALSE(n);
	EXPECT_EQ(n.error().number, ETIMEDOUT);
	// While that read hangs, no other read starts.
	auto another = open_device(tree.at("/fifo"), 4);
	ASSERT_TRUE(another);
	const auto begin = std::chrono::steady_clock::now();
	const auto refused = (*another)->read(bytes, 10s);
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().number, ETIMEDOUT);
	EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
	// Let the thread that still reads end.
	EXPECT_EQ(::write(writer.get(), "x", 1), 1);
	for (int i = 0; i < 100; i++) {
		another = open_device(tree.at("/fifo"), 4);
		ASSERT_TRUE(another);
		EXPECT_EQ(::write(writer.get(), "y", 1), 1);
		if (const auto m = (*another)->read(bytes, 1s)) {
			EXPECT_EQ(bytes[0], 'y');
			return;
		}
		std::this_thread::sleep_for(20ms);
	}
	FAIL() << "the read that hung has ended, but still no other read starts";
}

} // namespace
