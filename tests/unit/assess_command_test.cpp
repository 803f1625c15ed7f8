// SPDX-License-Identifier: GPL-2.0-or-later
// `hwrngctl assess` as its users run it.
#include "aes_ctr.h"
#include "fake_tree.h"
#include "paths.h"
#include "run_hwrngctl.h"

#include <sys/stat.h>

#include <csignal>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

std::string random_bytes(size_t size, unsigned mask = 0xff)
{
	std::vector<uint8_t> bytes(size);
	AesCtr().fill(bytes);
	for (auto &byte : bytes)
		byte = static_cast<uint8_t>(byte & mask);
	return {bytes.begin(), bytes.end()};
}

TEST(AssessCommand, UsageErrorsAreCode2)
{
	FakeTree tree;
	for (const char *arguments :
	     {"assess", "assess x --source y", "assess x --bits 9", "assess x --samples 0",
	      "assess x --samples 99999999999", "assess x --bits -1", "assess x y"}) {
		const auto ran = run(tree, arguments);
		EXPECT_EQ(ran.code, 2) << arguments;
		EXPECT_NE(ran.err, "") << arguments;
		EXPECT_EQ(ran.out, "") << arguments;
	}
}

TEST(AssessCommand, JsonHasEveryEstimatorWithItsFigures)
{
	FakeTree tree;
	tree.file("/bytes", random_bytes(10'000));
	const auto ran = run(tree, "assess --output=json " + tree.at("/bytes").string());
	ASSERT_EQ(ran.code, 0) << ran.err;
	const auto document = nlohmann::json::parse(ran.out);
	// The known answer of ctr8_short.
	EXPECT_NEAR(document["h_original"], 6.6356683894076935, 1e-9);
	EXPECT_NEAR(document["h_bitstring"], 0.75556474193142387, 1e-9);
	EXPECT_NEAR(document["min_entropy"], 6.0445179354513909, 1e-9);
	EXPECT_EQ(document["samples"], 10'000);
	EXPECT_EQ(document["bits_per_sample"], 8);
	EXPECT_EQ(document["alphabet"], 256);
	ASSERT_EQ(document["estimators"].size(), 10U);
	EXPECT_EQ(document["estimators"][0]["name"], "most_common_value");
	EXPECT_EQ(document["estimators"][0]["bitstring"]["mode_count"], 40004);
	EXPECT_EQ(document["estimators"][0]["literal"]["mode_count"], 68);
	EXPECT_FALSE(document["estimators"][1].contains("literal")); // collision is only for bits
	EXPECT_EQ(document["estimators"][5]["literal"]["v"], 3);
	EXPECT_NEAR(document["estimators"][9]["literal"]["p_local"], 0.010056914860524811, 1e-11);
	EXPECT_EQ(document["warnings"].size(), 1U); // too few samples
	EXPECT_FALSE(document.contains("quality")); // a file makes no claim
}

TEST(AssessCommand, BitsAreDerivedFromTheDataUnlessTheyAreGiven)
{
	FakeTree tree;
	tree.file("/nibbles", random_bytes(5'000, 15));
	const auto path = tree.at("/nibbles").string();
	const auto width = [&](const std::string &option) {
		const auto ran = run(tree, "assess --output=json " + option + " " + path);
		EXPECT_EQ(ran.code, 0) << ran.err;
		return nlohmann::json::parse(ran.out);
	};
	EXPECT_EQ(width("")["bits_per_sample"], 4);
	EXPECT_EQ(width("--bits 0")["bits_per_sample"], 4);
	const auto wide = width("--bits 6");
	EXPECT_EQ(wide["bits_per_sample"], 6);
	EXPECT_EQ(wide["warnings"][1], "only 4 of the 6 bits of a sample are ever used");

	const auto ran = run(tree, "assess --bits 3 " + path);
	EXPECT_EQ(ran.code, 2);
	EXPECT_NE(ran.err.find("needs 4 bits and does not fit into 3"), std::string::npos) << ran.err;
	EXPECT_NE(ran.err.find("omit --bits"), std::string::npos);
	EXPECT_EQ(ran.out, "");
}

TEST(AssessCommand, TextSaysWhatTheFigureMeansAndDoesNotMean)
{
	FakeTree tree;
	tree.file("/bits", random_bytes(7'000, 1));
	const auto ran = run(tree, "assess " + tree.at("/bits").string());
	ASSERT_EQ(ran.code, 0) << ran.err;
	EXPECT_NE(ran.out.find("7000 samples of 1 bit, 2 different values"), std::string::npos);
	EXPECT_NE(ran.out.find("fewer than the 1000000 samples"), std::string::npos);
	EXPECT_NE(ran.out.find("conditioned, encrypted"), std::string::npos);
}

TEST(AssessCommand, TooFewSamplesAreCode1AndTheMessageSaysHowManyAreNeeded)
{
	FakeTree tree;
	tree.file("/empty", "");
	auto ran = run(tree, "assess " + tree.at("/empty").string());
	EXPECT_EQ(ran.code, 1);
	EXPECT_NE(ran.err.find("no samples"), std::string::npos);
	ran = run(tree, "assess -"); // standard input is empty here
	EXPECT_EQ(ran.code, 1);
	EXPECT_NE(ran.err.find("standard input: no samples"), std::string::npos);

	tree.file("/short", random_bytes(4095));
	ran = run(tree, "assess " + tree.at("/short").string());
	EXPECT_EQ(ran.code, 1);
	EXPECT_NE(ran.err.find("4095 samples are too few"), std::string::npos);
	EXPECT_NE(ran.err.find("4096"), std::string::npos);

	tree.file("/enough", random_bytes(5000));
	ran = run(tree, "assess --samples 6000 " + tree.at("/enough").string());
	EXPECT_EQ(ran.code, 1);
	EXPECT_NE(ran.err.find("ended after 5000 of 6000 samples"), std::string::npos);
	EXPECT_EQ(run(tree, "assess --samples 5000 " + tree.at("/enough").string()).code, 0);

	tree.file("/constant", std::string(10'000, 'x'));
	ran = run(tree, "assess --output=json " + tree.at("/constant").string());
	EXPECT_EQ(ran.code, 1);
	EXPECT_NE(ran.err.find("all 10000 samples are 120: no entropy"), std::string::npos);
	EXPECT_EQ(nlohmann::json::parse(ran.out)["error"]["exit_code"], 1);
	EXPECT_EQ(run(tree, "assess /nonexistent/file").code, 5);
}

TEST(AssessCommand, TheProposalForASourceIsLimitedByItsClaim)
{
	FakeTree tree;
	tree.file("/dev/hwrng", random_bytes(64 + 20'000, 0x7f)); // the highest bit never changes
	const auto propose = [&](const char *claim) {
		tree.hwrng("virtio_rng.0", "virtio_rng.0", false, claim);
		const auto ran = run(tree, "assess --source virtio_rng.0 --samples 20000 --output=json");
		EXPECT_EQ(ran.code, 0) << ran.err;
		return nlohmann::json::parse(ran.out);
	};
	const auto honest = propose("1000");
	EXPECT_EQ(honest["source"], "virtio_rng.0");
	EXPECT_EQ(honest["bits_per_sample"], 8); // a source returns whole bytes
	const auto assessed = honest["quality"]["assessed"].get<unsigned>();
	EXPECT_EQ(assessed, static_cast<unsigned>(honest["min_entropy"].get<double>() * 128));
	EXPECT_LT(assessed, 1024U * 7 / 8);
	EXPECT_EQ(honest["quality"]["proposed"], assessed);
	EXPECT_EQ(propose("100")["quality"]["proposed"], 100);

	const auto ran = run(tree, "assess --source nonsense");
	EXPECT_EQ(ran.code, 3);
	EXPECT_NE(ran.err.find("virtio_rng.0"), std::string::npos);
}

TEST(AssessCommand, ASignalEndsTheEstimators)
{
	FakeTree tree;
	tree.file("/bytes", random_bytes(4'000'000)); // takes a few seconds
	const auto command = "timeout -s INT 0.3 " + std::string(hwrngctl_path) + " assess " +
	                     tree.at("/bytes").string() + " >" + tree.at("/stdout").string() + " 2>&1";
	const int status = std::system(command.c_str()); // NOLINT: the shell redirects
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 124); // timeout(1) ended it
	EXPECT_EQ(tree.text("/stdout"), "");
}

TEST(AssessCommand, ASignalEndsAReadFromAPipe)
{
	FakeTree tree;
	ASSERT_EQ(mkfifo(tree.at("/pipe").c_str(), 0600), 0);
	const auto pipe = tree.at("/pipe").string();
	// Some bytes arrive, and then no more.
	const auto command = "exec 3<>" + pipe + "; printf abc >&3; timeout -s INT 0.3 " +
	                     std::string(hwrngctl_path) + " assess - <" + pipe + " >" +
	                     tree.at("/stdout").string() + " 2>&1";
	const int status = std::system(command.c_str()); // NOLINT: the shell redirects
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 124);
	EXPECT_EQ(tree.text("/stdout"), "");
}

TEST(AssessCommand, ASavedResultLimitsTheCredit)
{
	FakeTree tree;
	tree.hwrng("virtio_rng.0", "virtio_rng.0", false, "1000");
	// Half of each byte is random, and the compression estimate is even lower. FIPS 140-2 would
	// refuse these bytes, so feed reads better ones.
	tree.file("/dev/hwrng", random_bytes(64 + 1'000'000, 0x0f));
	const auto ran = run(tree, "assess --source virtio_rng.0 --save --output=json");
	ASSERT_EQ(ran.code, 0) << ran.err;
	const auto document = nlohmann::json::parse(ran.out);
	const unsigned assessed = document["quality"]["assessed"];
	EXPECT_GT(assessed, 100U);
	EXPECT_LT(assessed, 500U); // otherwise half of the claim would be lower
	EXPECT_EQ(document["saved"], tree.at("/etc/hwrngd.conf.d/assessed-virtio_rng.0.conf").string());
	tree.file("/dev/hwrng", random_bytes(5'000));
	const auto fed = run(tree, "feed --once --dry-run --output=json");
	ASSERT_EQ(fed.code, 0) << fed.err;
	EXPECT_EQ(nlohmann::json::parse(fed.out)["would_credit_bits"], 20000 * assessed / 1024);

	EXPECT_EQ(run(tree, "assess --source virtio_rng.0 --save --samples 999999").code, 2);
	EXPECT_EQ(run(tree, "assess --save " + tree.at("/dev/hwrng").string()).code, 2);
	tree.file("/etc/hwrngd.conf", "[source.x]\nasessed = 1\n");
	const auto refused = run(tree, "feed --once --dry-run");
	EXPECT_EQ(refused.code, 2);
	EXPECT_NE(refused.err.find("line 2: unknown key \"asessed\""), std::string::npos);
}

} // namespace
