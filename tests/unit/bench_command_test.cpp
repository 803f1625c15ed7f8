// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/bench_figures.h"

#include "fake_tree.h"
#include "paths.h"
#include "run_hwrngctl.h"
#include "source/source.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

using Json = nlohmann::json;

SourceInfo source(SourceKind kind, const std::string &name)
{
	SourceInfo info;
	info.name = name;
	info.kind = kind;
	return info;
}

TEST(BenchFigures, SummarizeTheReads)
{
	std::vector<double> latencies;
	for (int i = 1; i <= 200; i++) // unsorted
		latencies.push_back((i % 2 == 0 ? i : 200 - i) * 1e-3);
	const auto figures = figures_of(latencies, 201'000);
	EXPECT_EQ(figures.reads, 200U);
	EXPECT_EQ(figures.bytes, 201'000U);
	EXPECT_NEAR(figures.bytes_per_second, 201'000 / 20.1, 60);
	EXPECT_DOUBLE_EQ(figures.median, 0.100);
	EXPECT_DOUBLE_EQ(figures.percentile_99, 0.198);
	EXPECT_DOUBLE_EQ(figures.longest, 0.200);
}

TEST(BenchFigures, OfOneReadAndOfNoRead)
{
	const auto one = figures_of({0.5}, 64);
	EXPECT_DOUBLE_EQ(one.median, 0.5);
	EXPECT_DOUBLE_EQ(one.percentile_99, 0.5);
	EXPECT_DOUBLE_EQ(one.longest, 0.5);
	EXPECT_DOUBLE_EQ(one.bytes_per_second, 128);
	EXPECT_EQ(figures_of({}, 0).reads, 0U);
	EXPECT_EQ(figures_of({}, 0).bytes_per_second, 0);
}

TEST(BenchFigures, HaveReadableUnits)
{
	EXPECT_EQ(rate_text(0), "0.0 B/s");
	EXPECT_EQ(rate_text(512), "512 B/s");
	EXPECT_EQ(rate_text(999.6), "1.0 kB/s");
	EXPECT_EQ(rate_text(9412), "9.4 kB/s");
	EXPECT_EQ(rate_text(98e6), "98 MB/s");
	EXPECT_EQ(rate_text(2.5e9), "2.5 GB/s");
	EXPECT_EQ(duration_text(0.4e-6), "0.4 us");
	EXPECT_EQ(duration_text(42e-6), "42 us");
	EXPECT_EQ(duration_text(0.0068), "6.8 ms");
	EXPECT_EQ(duration_text(12), "12 s");
}

TEST(BenchComparison, IsWithItsKind)
{
	const auto of = [](SourceKind kind, const char *name) {
		const auto *usual = usual_rate(source(kind, name));
		return usual == nullptr ? "" : std::string(usual->title);
	};
	EXPECT_EQ(of(SourceKind::cpu, "rdrand"), "RDRAND, one thread");
	EXPECT_EQ(of(SourceKind::cpu, "rdseed"), "RDSEED, one thread");
	EXPECT_EQ(of(SourceKind::hwrng, "cpu_rng.rdseed"), "RDSEED as hwrng");
	EXPECT_EQ(of(SourceKind::hwrng, "virtio_rng.0"), "virtio-rng");
	EXPECT_EQ(of(SourceKind::hwrng, "tpm_rng.0"), "TPM as hwrng");
	EXPECT_EQ(of(SourceKind::hwrng, "tpm-rng-0"), "TPM as hwrng");
	EXPECT_EQ(of(SourceKind::tpm2, "tpmrm0"), "TPM 2.0");
	EXPECT_EQ(of(SourceKind::jitter, "jitter"), "CPU jitter");
	// The hardware of these is unknown, whatever their names are.
	EXPECT_EQ(of(SourceKind::hwrng, "ccp-1-rng"), "");
	EXPECT_EQ(of(SourceKind::generator, "rdrand"), "");
	EXPECT_EQ(of(SourceKind::ssh, "tpmrm0"), "");
}

TEST(BenchComparison, BothEndsOfTheRangeAreUsual)
{
	const auto *usual = usual_rate(source(SourceKind::tpm2, "tpmrm0"));
	ASSERT_NE(usual, nullptr);
	EXPECT_EQ(compare(usual->least * 0.99, usual), Comparison::slower);
	EXPECT_EQ(compare(usual->least, usual), Comparison::usual);
	EXPECT_EQ(compare(usual->most, usual), Comparison::usual);
	EXPECT_EQ(compare(usual->most * 1.01, usual), Comparison::faster);
	EXPECT_EQ(compare(1e3, nullptr), Comparison::unknown);
}

/// Two hwrngs, the second one in use, and a device that returns endless data.
void two_hwrngs(FakeTree &tree)
{
	tree.hwrng("virtio_rng.0 tpm_rng.0", "tpm_rng.0", true);
	tree.symlink("/dev/hwrng", "/dev/urandom");
}

Json row(const Ran &ran, size_t i)
{
	return Json::parse(ran.out).at("sources").at(i);
}

TEST(BenchCommand, MeasuresEachSourceAndRestoresTheChoice)
{
	FakeTree tree;
	two_hwrngs(tree);
	const auto ran = run(tree, "bench --seconds 0.2 -o json");
	ASSERT_EQ(ran.code, 0) << ran.err;
	ASSERT_EQ(Json::parse(ran.out)["sources"].size(), 2U) << ran.out;
	EXPECT_EQ(Json::parse(ran.out)["seconds"], 0.2);
	EXPECT_TRUE(Json::parse(ran.out)["hypervisor"].is_null());
	for (const size_t i : {0U, 1U}) {
		const auto found = row(ran, i);
		EXPECT_EQ(found["source"], i == 0 ? "virtio_rng.0" : "tpm_rng.0");
		EXPECT_EQ(found["kind"], "hwrng");
		EXPECT_EQ(found["read_bytes"], 64);
		EXPECT_GT(found["reads"], 1);
		EXPECT_EQ(found["bytes"], found["reads"].get<int>() * 64);
		const auto &latency = found["latency_seconds"];
		EXPECT_GT(latency["median"], 0);
		EXPECT_LE(latency["median"], latency["percentile_99"]);
		EXPECT_LE(latency["percentile_99"], latency["longest"]);
		EXPECT_GE(found["first_byte_seconds"], 0);
		// The times of all reads add up to the time of the measurement.
		const double seconds =
		    found["bytes"].get<double>() / found["bytes_per_second"].get<double>();
		EXPECT_LE(seconds, 0.2 + latency["longest"].get<double>());
		EXPECT_TRUE(found["error"].is_null());
		EXPECT_FALSE(found["usual"]["from"].get<std::string>().empty());
	}
	// A fake TPM with the speed of urandom.
	EXPECT_EQ(row(ran, 1)["comparison"], "faster than usual");
	EXPECT_EQ(tree.text(std::string(hw_random) + "/rng_current"), "tpm_rng.0");
}

TEST(BenchCommand, PrintsATable)
{
	FakeTree tree;
	two_hwrngs(tree);
	tree.file("/sys/class/dmi/id/sys_vendor", "QEMU\n");
	const auto ran = run(tree, "bench --seconds 0.1");
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_EQ(ran.err, "") << "progress is only for terminals";
	for (const char *said :
	     {"virtio_rng.0 ", "tpm_rng.0 ", " 64 B ", "faster than usual\n",
	      "\n  TPM as hwrng: 300 B/s to 32 kB/s\n    same as", "This is a virtual machine:"})
		EXPECT_NE(ran.out.find(said), std::string::npos) << said << ran.out;
}

TEST(BenchCommand, MeasuresOnlyTheNamedSources)
{
	FakeTree tree;
	two_hwrngs(tree);
	tree.file("/etc/hwrngd.conf", "[source.\"mine\"]\npath = \"/dev/mine\"\n");
	tree.symlink("/dev/mine", "/dev/zero");
	const auto ran = run(tree, "bench -t 0.1 -o json --source mine --source tpm_rng.0");
	ASSERT_EQ(ran.code, 0) << ran.err;
	ASSERT_EQ(Json::parse(ran.out)["sources"].size(), 2U);
	EXPECT_EQ(row(ran, 0)["source"], "mine");
	EXPECT_EQ(row(ran, 0)["read_bytes"], 4096);
	EXPECT_EQ(row(ran, 0)["comparison"], "nothing to compare with");
	EXPECT_TRUE(row(ran, 0)["usual"].is_null());
	EXPECT_EQ(row(ran, 1)["source"], "tpm_rng.0");

	const auto unknown = run(tree, "bench --source nonsense");
	EXPECT_EQ(unknown.code, 3);
	EXPECT_NE(unknown.err.find("\"nonsense\" is not a source"), std::string::npos);
}

TEST(BenchCommand, ContinuesAfterASourceFails)
{
	FakeTree tree;
	two_hwrngs(tree);
	std::filesystem::remove(tree.at("/dev/hwrng"));
	std::filesystem::create_directory(tree.at("/dev/hwrng")); // its read fails
	tree.file("/etc/hwrngd.conf", "[source.\"mine\"]\npath = \"/dev/mine\"\n");
	tree.symlink("/dev/mine", "/dev/zero");
	const auto ran = run(tree, "bench -t 0.1 -o json");
	EXPECT_EQ(ran.code, 5);
	ASSERT_EQ(Json::parse(ran.out)["sources"].size(), 3U) << ran.out;
	EXPECT_EQ(row(ran, 0)["error"]["exit_code"], 5);
	EXPECT_TRUE(row(ran, 0)["bytes_per_second"].is_null());
	EXPECT_TRUE(row(ran, 0)["comparison"].is_null());
	EXPECT_GT(row(ran, 2)["bytes_per_second"], 0);
	EXPECT_EQ(tree.text(std::string(hw_random) + "/rng_current"), "tpm_rng.0");
	EXPECT_NE(run(tree, "bench -t 0.1").out.find("hwrng: Is a directory"), std::string::npos);
}

TEST(BenchCommand, AnEndOfDataIsReportedWithTheFiguresUntilThen)
{
	FakeTree tree;
	tree.hwrng("a", "a");
	tree.file("/dev/hwrng", std::string(64 + 640, 'x')); // 64 are stale
	const auto ran = run(tree, "bench");
	EXPECT_EQ(ran.code, 5);
	EXPECT_NE(ran.out.find("; then: a: end of data\n"), std::string::npos) << ran.out;
	EXPECT_EQ(row(run(tree, "bench -o json"), 0)["bytes"], 640);
}

TEST(BenchCommand, DoesNotSwitchByItselfIfTheKernelCanHang)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0 tpm_rng.0 tpm-rng-0", "virtio_rng.0", true,
	           ""); // no rng_quality: 5.10
	tree.symlink("/dev/hwrng", "/dev/urandom");
	const auto ran = run(tree, "bench -t 0.1 -o json");
	EXPECT_EQ(ran.code, 0);
	EXPECT_GT(row(ran, 0)["reads"], 0);
	for (const size_t i : {1U, 2U}) {
		EXPECT_EQ(row(ran, i)["reads"], 0);
		EXPECT_EQ(row(ran, i)["error"]["exit_code"], 4);
	}
	// If it is named, and if there is no danger.
	EXPECT_EQ(run(tree, "bench -t 0.1 --source tpm_rng.0").code, 0);
	const auto danger = run(tree, "bench -t 0.1 --source tpm-rng-0");
	EXPECT_EQ(danger.code, 4);
	EXPECT_NE(danger.out.find("can hang forever"), std::string::npos) << danger.out;
}

TEST(BenchCommand, DoesNotAskOtherMachinesByItself)
{
	FakeTree tree;
	two_hwrngs(tree);
	tree.file("/etc/hwrngd.conf", "[source.\"host\"]\negd = \"tcp:127.0.0.1:1\"\n");
	const auto ran = run(tree, "bench -t 0.1 -o json");
	EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
	EXPECT_EQ(row(ran, 2)["source"], "host");
	EXPECT_EQ(row(ran, 2)["reads"], 0);
	EXPECT_NE(row(ran, 2)["error"]["message"].get<std::string>().find("another machine"),
	          std::string::npos);
}

TEST(BenchCommand, WithoutAnySourceIsCode3)
{
	FakeTree tree;
	const auto ran = run(tree, "bench");
	EXPECT_EQ(ran.code, 3);
	EXPECT_NE(ran.err.find("has no usable source"), std::string::npos);
	EXPECT_EQ(run(tree, "bench --seconds 0").code, 2);
	EXPECT_EQ(run(tree, "bench --seconds 31").code, 2);
}

TEST(BenchCommand, AnInterruptPrintsTheResultsSoFar)
{
	FakeTree tree;
	two_hwrngs(tree);
	// timeout(1) sends the signal only to hwrngctl, during the second source.
	const auto command = "timeout --signal=INT 3 " + std::string(hwrngctl_path) +
	                     " --root=" + tree.at("/").string() + " bench -t 2 -o json >" +
	                     tree.at("/stdout").string() + " 2>&1";
	const int status = std::system(command.c_str()); // NOLINT: the shell redirects
	EXPECT_EQ(WEXITSTATUS(status), 124) << "timeout ended it";
	const auto document = Json::parse(tree.text("/stdout"));
	ASSERT_EQ(document["sources"].size(), 2U);
	EXPECT_GT(document["sources"][1]["reads"], 0);
	EXPECT_EQ(tree.text(std::string(hw_random) + "/rng_current"), "tpm_rng.0");
}

TEST(BenchCommand, ACpuInstructionIsReadInLargeBlocks)
{
	FakeTree tree;
	std::ifstream real("/proc/cpuinfo");
	tree.file("/proc/cpuinfo", {std::istreambuf_iterator<char>(real), {}});
	const auto names = cpu_instructions(tree.root()).usable;
	if (names.empty())
		GTEST_SKIP() << "this CPU has no random instruction";
	const auto ran = run(tree, "bench -t 0.1 -o json --source " + names.back());
	ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
	EXPECT_EQ(row(ran, 0)["kind"], "cpu");
	EXPECT_EQ(row(ran, 0)["read_bytes"], 4096);
	EXPECT_GT(row(ran, 0)["bytes"], 4095);
}

} // namespace
