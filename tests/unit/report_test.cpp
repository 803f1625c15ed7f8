// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/report.h"

#include "command/chart.h"
#include "fake_tree.h"
#include "samples.h"

#include <algorithm>
#include <cstdlib>
#include <regex>

#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

Profile profile_of(const std::vector<uint8_t> &samples, unsigned bits)
{
	Profiler profiler(bits);
	profiler.add(samples);
	return profiler.profile();
}

/// A report of 100,000 good samples with every possible part.
Report full_report()
{
	auto raw = samples_of("ctr8");
	raw.resize(100'000);
	Report report;
	report.name = "tpm_rng.0";
	report.made = "2026-11-22 12:00 UTC";
	report.version = "1.2.3";
	report.profile = profile_of(raw, 8);
	auto &assessment = report.assessment.emplace();
	assessment.samples = raw.size();
	assessment.bits = 8;
	for (const auto estimator : assess::all_estimators)
		for (const auto form : {assess::Form::bitstring, assess::Form::literal}) {
			assess::Estimate estimate{.estimator = estimator, .form = form};
			estimate.min_entropy = form == assess::Form::literal ? 6.0 : 0.5;
			estimate.figures = {{"mode_count", uint64_t{4321}}, {"p_hat", 0.25}};
			assessment.estimates.push_back(estimate);
		}
	assessment.min_entropy = 5.25;
	auto &iid = report.iid.emplace();
	iid.min_entropy = 7.5;
	for (auto &ranked : iid.permutations)
		ranked.verdict = iid::Verdict::passed;
	report.latency.emplace().add(std::chrono::milliseconds(3));
	return report;
}

size_t count(const std::string &text, const std::string &what)
{
	size_t n = 0;
	for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
		n++;
	return n;
}

/// Whether every element is closed in order, except those that HTML leaves open.
void expect_balanced(const std::string &html)
{
	std::vector<std::string> open;
	const std::regex tag("<(/?)([a-z0-9]+)([^<>]*)>");
	for (std::sregex_iterator it(html.begin(), html.end(), tag), end; it != end; it++) {
		const std::string name = (*it)[2];
		if (name == "meta" || name == "link" || (*it)[3].str().ends_with("/"))
			continue;
		if ((*it)[1].length() == 0) {
			open.push_back(name);
			continue;
		}
		ASSERT_FALSE(open.empty());
		ASSERT_EQ(open.back(), name);
		open.pop_back();
	}
	EXPECT_TRUE(open.empty());
}

TEST(Report, IsOnePageWithoutOtherResources)
{
	const auto html = to_html(full_report());
	expect_balanced(html);
	EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
	EXPECT_TRUE(html.ends_with("</html>\n"));
	for (const char *from_elsewhere :
	     {"http:", "https:", "//", "src=", "@import", "url(", "<script"})
		EXPECT_EQ(html.find(from_elsewhere), std::string::npos) << from_elsewhere;
	EXPECT_EQ(count(html, " href="), 1U); // the icon, which is empty
	EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
	EXPECT_NE(html.find("prefers-color-scheme:dark"), std::string::npos);
	EXPECT_NE(html.find("width=device-width"), std::string::npos);
}

TEST(Report, HasTheVerdictFirstAndEachPartOnce)
{
	const auto html = to_html(full_report());
	std::vector<size_t> places;
	for (const char *part :
	     {"<h1>tpm_rng.0</h1>", "7.5 of 8 bits", "No test failed.", ">Estimators<",
	      ">Independent and identically distributed?<", ">Values<", ">Bit planes<",
	      ">Autocorrelation<", ">Runs of equal bits<", ">FIPS 140-2 over time<",
	      ">Latency of reads<"}) {
		EXPECT_EQ(count(html, part), 1U) << part;
		places.push_back(html.find(part));
	}
	EXPECT_TRUE(std::ranges::is_sorted(places));
	EXPECT_EQ(html.find(">Restart tests<"), std::string::npos);
	EXPECT_NE(html.find("960 of 1024"), std::string::npos); // 7.5 / 8
	EXPECT_EQ(count(html, "class=\"plane\""), 8U);
	EXPECT_EQ(count(html, "width:75.0%"), 10U); // literal, 6 of 8
	EXPECT_EQ(count(html, "width:50.0%"), 10U); // bitstring
	EXPECT_EQ(count(html, "mode_count = 4321, p_hat = 0.25"), 20U);
	EXPECT_NE(html.find("<title>200: "), std::string::npos); // a bar of the histogram
}

TEST(Report, EscapesNamesFromOutside)
{
	auto report = full_report();
	report.name = "<script>alert(1)</script>&\"'\n\x01";
	report.warnings = {"<b>"};
	const auto html = to_html(report);
	expect_balanced(html);
	EXPECT_EQ(html.find("<script"), std::string::npos);
	EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;??"),
	          std::string::npos);
	EXPECT_NE(html.find("&lt;b&gt;"), std::string::npos);
}

TEST(Report, ShowsTheFigureThatDecides)
{
	auto report = full_report();
	EXPECT_EQ(min_entropy(report), 7.5);
	// Not IID: the ten estimators remain.
	report.iid->longest_repeat.passed = false;
	EXPECT_EQ(min_entropy(report), 5.25);
	auto &restart = report.restart.emplace();
	restart.cutoff = restart.most_in_row = 20;
	restart.h_initial = 5.25;
	restart.h_rows = 5;
	restart.h_columns = 5.125;
	EXPECT_EQ(min_entropy(report), 5);
	restart.most_in_column = 21;
	EXPECT_EQ(min_entropy(report), std::nullopt);
	EXPECT_NE(to_html(report).find("No entropy awarded"), std::string::npos);
}

TEST(Report, NamesEachTestThatFailed)
{
	auto report = full_report();
	EXPECT_TRUE(failures(report).empty());
	report.profile = profile_of(samples_of("walk8"), 8);
	report.iid->independence.p = 0.0009;
	report.iid->goodness_of_fit.p = 0;
	report.iid->longest_repeat.passed = false;
	report.iid->permutations[3].verdict = iid::Verdict::failed;
	report.iid->permutations[iid::compression].verdict = iid::Verdict::not_needed;
	report.restart.emplace().h_initial = 1; // nothing was assessed
	EXPECT_EQ(failures(report).size(), 6U);
	EXPECT_EQ(failures(report)[4], "IID track: 1 of 19 permutation tests");
	const auto html = to_html(report);
	expect_balanced(html);
	EXPECT_NE(html.find("class=\"verdict failed\""), std::string::npos);
	EXPECT_EQ(html.find("No test failed."), std::string::npos);
	for (const auto &failure : failures(report))
		EXPECT_NE(html.find(failure), std::string::npos);
}

TEST(Report, IsAlsoAPageForNoDataForBitsAndForConstants)
{
	for (const auto &[samples, bits] : {std::pair{std::vector<uint8_t>{}, 8U},
	                                    {std::vector<uint8_t>{1}, 1U},
	                                    {std::vector<uint8_t>(100'000, 0), 1U},
	                                    {std::vector<uint8_t>(100'000, 3), 2U}}) {
		Report report;
		report.name = "x";
		report.profile = profile_of(samples, bits);
		report.latency.emplace();
		const auto html = to_html(report);
		expect_balanced(html);
		EXPECT_NE(html.find(bits == 1 ? " of 1 bit " : " bits "), std::string::npos);
		for (const char *no_number : {"nan", "inf\"", "-nan"})
			EXPECT_EQ(html.find(no_number), std::string::npos) << no_number;
	}
}

TEST(Report, OpensInChromiumWithoutAnError)
{
	if (std::system("command -v chromium >/dev/null") != 0)
		GTEST_SKIP() << "chromium is not installed";
	FakeTree tree;
	tree.file("/report.html", to_html(full_report()));
	const auto opened = std::system(
	    fmt::format("cd '{}' && timeout 60 chromium --headless=new --no-sandbox --disable-gpu "
	                "--user-data-dir=profile --enable-logging=stderr --dump-dom "
	                "\"file://$PWD/report.html\" >dom 2>log",
	                tree.at("/").string())
	        .c_str());
	ASSERT_EQ(opened, 0) << tree.text("/log");
	EXPECT_NE(tree.text("/dom").find("7.5 of 8 bits"), std::string::npos);
	// Errors of the page itself: a missing or forbidden resource, or a script error.
	EXPECT_EQ(tree.text("/log").find("CONSOLE"), std::string::npos) << tree.text("/log");
}

TEST(Chart, BarsGoUpAndDownFromZero)
{
	chart::Chart chart;
	chart.bars = {{1, "up"}, {-1, "down"}, {0.0001, "little"}, {0, "none"}};
	chart.low = -1;
	const auto svg = chart::to_svg(chart);
	// Zero is in the middle of 8 to 164.
	EXPECT_NE(svg.find("y=\"8.00\" width=\"53.55\" height=\"78.00\"><title>up"), std::string::npos);
	EXPECT_NE(svg.find("y=\"86.00\" width=\"53.55\" height=\"78.00\"><title>down"),
	          std::string::npos);
	EXPECT_NE(svg.find("height=\"1.00\"><title>little"), std::string::npos);
	EXPECT_NE(svg.find("height=\"0.00\"><title>none"), std::string::npos);
}

TEST(Chart, ABitPlaneHasALineForEachRunOfOnes)
{
	std::vector<uint8_t> samples(130, 0);
	for (const size_t i : std::vector<size_t>{0, 2, 3, 63, 64, 129})
		samples[i] = 4;
	const auto svg = chart::bit_plane(samples, 2);
	EXPECT_NE(svg.find("viewBox=\"0 0 64 3\""), std::string::npos);
	EXPECT_NE(svg.find("d=\"M0 0.5h1M2 0.5h2M63 0.5h1M0 1.5h1M1 2.5h1\""), std::string::npos);
	EXPECT_NE(chart::bit_plane(samples, 1).find("d=\"\""), std::string::npos);
}

} // namespace
