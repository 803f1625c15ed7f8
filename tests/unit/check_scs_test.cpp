// SPDX-License-Identifier: GPL-2.0-or-later
// `hwrngctl check scs` on trees made of files.
#include "aes_ctr.h"
#include "base/file_descriptor.h"
#include "fake_tree.h"
#include "run_hwrngctl.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd::test;

namespace {

constexpr size_t bootstrap = 4;
constexpr size_t block = 2500;
constexpr size_t blocks = 1000;

/// Blocks of which `bad` fail (at least 1): one fails in the key stream itself, the others have a
/// long run.
std::string stream(size_t bad)
{
	std::vector<uint8_t> bytes(bootstrap + blocks * block);
	AesCtr().fill(bytes);
	for (size_t i = 0; i + 1 < bad; i++)
		std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(bootstrap + i * block), 8,
		            uint8_t{0xff});
	return {bytes.begin(), bytes.end()};
}

/// A machine that meets every item, except that `bad` blocks fail.
class ScsMachine : public FakeTree {
public:
	explicit ScsMachine(size_t bad = 1)
	{
		file("/proc/sys/kernel/random/entropy_avail", "256\n");
		file("/proc/sys/kernel/random/poolsize", "256\n");
		file("/proc/sys/kernel/osrelease", "6.1.0-test\n");
		file("/proc/cpuinfo", "flags\t\t: rdrand rdseed\n");
		file("/dev/random", stream(bad));
	}
};

/// The result of `check scs` for item `id`.
nlohmann::json item(const FakeTree &tree, const std::string &id, const std::string &options = "")
{
	const auto ran = run(tree, "check scs --output=json " + options);
	const auto document = nlohmann::json::parse(ran.out);
	EXPECT_EQ(ran.code, document.at("errors") > 0 ? 1 : 0);
	for (const auto &one : document.at("items"))
		if (one.at("id") == id)
			return one;
	return {{"verdict", "is not there"}, {"found", ""}};
}

TEST(CheckScs, AGoodMachinePassesWithATable)
{
	const ScsMachine tree;
	const auto ran = run(tree, "check scs");
	EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
	EXPECT_NE(ran.out.find("SCS 0101 (Entropy) v1.1, 6.1.0-test\n"), std::string::npos) << ran.out;
	EXPECT_NE(ran.out.find("| Item "), std::string::npos);
	EXPECT_NE(ran.out.find("| ok      | 256 of 256 bits "), std::string::npos) << ran.out;
	EXPECT_NE(ran.out.find("| 1 of 1000 "), std::string::npos) << ran.out;
	EXPECT_TRUE(ran.out.ends_with("Passed: 0 errors, 0 warnings\n")) << ran.out;
	EXPECT_EQ(item(tree, "rngd").at("verdict"), "is not there") << "v1.1 does not require it";
}

TEST(CheckScs, FailuresAreLimitedAsEachVersionRequires)
{
	struct Case {
		size_t bad;
		const char *v1;
		const char *v1_1;
	};
	for (const auto &[bad, v1, v1_1] : {Case{3, "ok", "ok"}, Case{4, "error", "warning"},
	                                    Case{5, "error", "warning"}, Case{6, "error", "error"}}) {
		const ScsMachine tree(bad);
		EXPECT_EQ(item(tree, "fips", "--profile v1").at("verdict"), v1) << bad;
		EXPECT_EQ(item(tree, "fips").at("verdict"), v1_1) << bad;
	}
	const ScsMachine tree(6);
	EXPECT_EQ(item(tree, "fips").at("found"), "6 of 1000; tested again: 6 of 1000");
	const auto ran = run(tree, "check scs");
	EXPECT_EQ(ran.code, 1);
	EXPECT_TRUE(ran.out.ends_with("FAILED: 1 error, 0 warnings\n")) << ran.out;
}

TEST(CheckScs, ChanceIsNotAFinding)
{
	const ScsMachine tree;
	const auto random = tree.at("/dev/random");
	std::filesystem::remove(random);
	ASSERT_EQ(mkfifo(random.c_str(), 0600), 0);
	for (const char *profile : {"--profile v1", "--profile v1.1"}) {
		// Keep it open; otherwise its remaining data is lost with its reader.
		const hwrngd::FileDescriptor fifo(open(random.c_str(), O_RDWR | O_CLOEXEC));
		const auto both = stream(4) + stream(1);
		std::atomic<bool> done = false;
		std::jthread writer([&] {
			for (size_t at = 0; at < both.size();) {
				const auto n = write(fifo.get(), both.data() + at, both.size() - at);
				EXPECT_GT(n, 0);
				if (n <= 0)
					break;
				at += static_cast<size_t>(n);
			}
			done = true;
		});
		const auto found = item(tree, "fips", profile);
		EXPECT_EQ(found.at("found"), "4 of 1000; tested again: 1 of 1000");
		EXPECT_EQ(found.at("verdict"), "ok");
		const hwrngd::FileDescriptor rest(open(random.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
		for (std::array<char, block> left{}; !done;)
			if (read(rest.get(), left.data(), left.size()) < 0)
				std::this_thread::yield();
	}
}

TEST(CheckScs, ThePoolIsJudgedByTheKernelsVersion)
{
	ScsMachine tree;
	tree.file("/proc/sys/kernel/random/entropy_avail", "12\n");
	EXPECT_EQ(item(tree, "entropy_avail").at("verdict"), "error");
	EXPECT_NE(item(tree, "entropy_avail").at("remedy").get<std::string>().find("feed --once"),
	          std::string::npos);
	tree.file("/proc/sys/kernel/random/poolsize", "4096\n");
	EXPECT_EQ(item(tree, "kernel").at("verdict"), "warning");
	for (const auto &[bits, verdict] :
	     {std::pair("256", "error"), std::pair("999", "error"), std::pair("1000", "warning"),
	      std::pair("4096", "warning")}) {
		tree.file("/proc/sys/kernel/random/entropy_avail", bits);
		EXPECT_EQ(item(tree, "entropy_avail").at("verdict"), verdict) << bits;
	}
	std::filesystem::remove(tree.at("/proc/sys/kernel/random/entropy_avail"));
	EXPECT_EQ(item(tree, "entropy_avail").at("found"), "cannot be read");
}

TEST(CheckScs, WhatIsMissingIsReportedAndNeverPasses)
{
	ScsMachine tree;
	tree.file("/proc/cpuinfo", "flags\t\t: sse2\n");
	EXPECT_EQ(item(tree, "cpu").at("verdict"), "warning");
	EXPECT_EQ(item(tree, "cpu").at("remedy"), "use a CPU that has one of them");
	tree.file("/proc/cpuinfo", "flags\t\t: sse2 hypervisor\n");
	EXPECT_NE(item(tree, "cpu").at("remedy").get<std::string>().find("hypervisor"),
	          std::string::npos);
	tree.file("/dev/random", "short");
	EXPECT_EQ(item(tree, "fips").at("verdict"), "error");
	std::filesystem::remove(tree.at("/dev/random"));
	EXPECT_EQ(item(tree, "fips").at("verdict"), "error");
	EXPECT_NE(item(tree, "fips").at("found").get<std::string>().find("No such file"),
	          std::string::npos);
	EXPECT_EQ(run(tree, "check scs --profile v2").code, 2);
	EXPECT_EQ(run(tree, "check").code, 2);
}

TEST(CheckScs, TheServiceIsCheckedAsInThePublishedTest)
{
	ScsMachine tree;
	const std::string path = std::getenv("PATH"); // NOLINT: only one thread
	const auto with = [&](const std::string &script) {
		const auto systemctl = tree.at("/bin/systemctl");
		tree.file("/bin/systemctl", "#!/bin/sh\n" + script + "\n");
		std::filesystem::permissions(systemctl, std::filesystem::perms::owner_all);
		setenv("PATH", (systemctl.parent_path().string() + ":" + path).c_str(), 1); // NOLINT
		auto said = item(tree, "rngd", "--profile v1");
		setenv("PATH", path.c_str(), 1); // NOLINT
		return said;
	};
	auto said = with("printf 'Id=hwrngd.service\\nActiveState=active\\n'");
	EXPECT_EQ(said.at("verdict"), "ok");
	EXPECT_EQ(said.at("found"), "hwrngd.service is active");
	said = with("printf 'Id=hwrngd.service\\nActiveState=reloading\\n'");
	EXPECT_EQ(said.at("verdict"), "ok");
	said = with("printf 'Id=rngd.service\\nActiveState=inactive\\n'");
	EXPECT_EQ(said.at("verdict"), "error");
	EXPECT_EQ(said.at("found"), "rngd.service is inactive");
	said = with("echo 'System has not been booted with systemd' >&2; exit 1");
	EXPECT_EQ(said.at("verdict"), "error");
	EXPECT_EQ(said.at("found"),
	          "systemctl reported no state: System has not been booted with systemd");
}

} // namespace
