// SPDX-License-Identifier: GPL-2.0-or-later
// `hwrngctl assess` with --iid, --restart and --html.
#include "fake_tree.h"
#include "run_hwrngctl.h"
#include "samples.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// The first bytes of an input from samples.h.
std::string bytes(const char *input, size_t size)
{
	const auto samples = samples_of(input);
	return {samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(size)};
}

TEST(AssessTests, TheIidTrackDecidesTheExitCodeAndIsInTheDocument)
{
	FakeTree tree;
	tree.file("/good", bytes("ctr4", 10'000));
	tree.file("/bad", bytes("walk8", 10'000));
	auto ran = run(tree, "assess --iid --output=json " + tree.at("/good").string());
	EXPECT_EQ(ran.code, 0) << ran.err;
	auto iid = nlohmann::json::parse(ran.out)["iid"];
	EXPECT_EQ(iid["iid"], true);
	EXPECT_EQ(iid["permutations"].size(), 19U);
	EXPECT_EQ(iid["permutations"][18]["name"], "compression");
	EXPECT_EQ(iid["permutations"][18]["verdict"], "passed");

	ran = run(tree, "assess --iid --output=json " + tree.at("/bad").string());
	EXPECT_EQ(ran.code, 1);
	iid = nlohmann::json::parse(ran.out)["iid"];
	EXPECT_EQ(iid["iid"], false);
	EXPECT_EQ(iid["permutations"][0]["verdict"], "failed");
	EXPECT_EQ(iid["chi_square_independence"]["passed"], false);
}

TEST(AssessTests, TheRestartTestsNeedAMatrixOfTheSameWidth)
{
	FakeTree tree;
	tree.file("/bits", bytes("ctr1", 7'000));
	tree.file("/matrix", bytes("ctr1", 1'000'000));
	const auto command = "assess --output=json " + tree.at("/bits").string() + " --restart ";
	auto ran = run(tree, command + tree.at("/matrix").string());
	EXPECT_EQ(ran.code, 0) << ran.err;
	const auto document = nlohmann::json::parse(ran.out);
	EXPECT_EQ(document["restart"]["passed"], true);
	EXPECT_EQ(document["restart"]["track"], "non_iid");
	EXPECT_EQ(document["restart"]["h_initial"], document["min_entropy"]);
	EXPECT_NEAR(document["restart"]["h_columns"], 0.876460, 5.1e-7); // NIST's ea_restart

	ran = run(tree, command + tree.at("/bits").string());
	EXPECT_EQ(ran.code, 1);
	EXPECT_NE(ran.err.find("1000 samples from each of 1000 restarts"), std::string::npos)
	    << ran.err;
}

TEST(AssessTests, TheRestartTestsFollowTheIidTrack)
{
	FakeTree tree;
	tree.file("/good", bytes("ctr4", 10'000));
	tree.file("/matrix", bytes("ctr4", 1'000'000));
	const auto ran = run(tree, "assess --output=json --iid " + tree.at("/good").string() +
	                               " --restart " + tree.at("/matrix").string());
	EXPECT_EQ(ran.code, 0) << ran.err;
	const auto document = nlohmann::json::parse(ran.out);
	EXPECT_EQ(document["restart"]["track"], "iid");
	EXPECT_EQ(document["restart"]["h_initial"], document["iid"]["min_entropy"]);
	EXPECT_EQ(document["restart"]["h_rows"], document["restart"]["h_columns"]);
}

TEST(AssessTests, TheReportIsWrittenOrTheCommandFails)
{
	FakeTree tree;
	tree.file("/samples", bytes("ctr8", 10'000));
	const auto command = "assess " + tree.at("/samples").string() + " --html ";
	auto ran = run(tree, command + tree.at("/report.html").string());
	EXPECT_EQ(ran.code, 0) << ran.err;
	const auto html = tree.text("/report.html");
	EXPECT_NE(html.find("6.045 of 8 bits"), std::string::npos);
	EXPECT_NE(html.find("fewer than the 1000000 samples"), std::string::npos);
	EXPECT_NE(html.find("LZ78Y"), std::string::npos);
	EXPECT_EQ(html.find("Latency"), std::string::npos); // a file has none

	ran = run(tree, command + "/dev/full");
	EXPECT_EQ(ran.code, 5);
	EXPECT_NE(ran.err.find("/dev/full"), std::string::npos);
	EXPECT_EQ(ran.out, "");
}

TEST(AssessTests, TheReportOfASourceHasTheLatencyOfItsReads)
{
	FakeTree tree;
	tree.file("/dev/hwrng", bytes("ctr8", 64 + 10'000));
	tree.hwrng("virtio_rng.0", "virtio_rng.0");
	const auto ran = run(tree, "assess --source virtio_rng.0 --samples 10000 --html " +
	                               tree.at("/report.html").string());
	EXPECT_EQ(ran.code, 0) << ran.err;
	EXPECT_NE(tree.text("/report.html").find("Latency of reads"), std::string::npos);
}

} // namespace
