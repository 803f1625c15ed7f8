// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/assess.h"
#include "assess_known_answers.h"
#include "samples.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace hwrngd;
using namespace hwrngd::assess;
using namespace hwrngd::test;

namespace {

/// Maps "form estimator figure" to a number.
using Figures = std::map<std::string, double>;

double number(const Value &value)
{
	return std::visit([](auto v) { return static_cast<double>(v); }, value);
}

Figures figures(const Assessment &assessment)
{
	Figures all;
	for (const auto &estimate : assessment.estimates) {
		const auto prefix = fmt::format("{} {} ", key(estimate.form), key(estimate.estimator));
		for (const auto &figure : estimate.figures)
			all[prefix + std::string(figure.name)] = number(figure.value);
		if (estimate.min_entropy)
			all[prefix + "min_entropy"] = *estimate.min_entropy;
	}
	all["assessment all h_original"] = assessment.h_original;
	all["assessment all min_entropy"] = assessment.min_entropy;
	if (assessment.h_bitstring)
		all["assessment all h_bitstring"] = *assessment.h_bitstring;
	return all;
}

Figures figures(std::string_view lines)
{
	Figures all;
	std::istringstream in{std::string(lines)};
	for (std::string line; std::getline(in, line);) {
		std::istringstream words(line);
		std::string form;
		std::string estimator;
		words >> form >> estimator;
		for (std::string word; words >> word;) {
			const auto equals = word.find('=');
			all[fmt::format("{} {} {}", form, estimator, word.substr(0, equals))] =
			    std::stod(word.substr(equals + 1));
		}
	}
	return all;
}

/// Both must have the same figures, equal to nine digits.
void expect_same(const Figures &found, const Figures &expected)
{
	for (const auto &[name, value] : expected) {
		const auto ours = found.find(name);
		if (ours == found.end()) {
			ADD_FAILURE() << "lacks " << name;
			continue;
		}
		EXPECT_NEAR(ours->second, value, std::fabs(value) * 1e-9) << name;
	}
	for (const auto &[name, value] : found)
		EXPECT_TRUE(expected.contains(name)) << name << " = " << value << " is not expected";
}

class KnownAnswers : public testing::TestWithParam<KnownAnswer> {};

TEST_P(KnownAnswers, EveryFigureIsThatOfNistsTool)
{
	const auto symbols = to_symbols(samples_of(std::string(GetParam().input)), std::nullopt);
	ASSERT_TRUE(symbols) << symbols.error().message;
	const auto assessment = non_iid(*symbols);
	ASSERT_TRUE(assessment) << assessment.error().message;
	expect_same(figures(*assessment), figures(GetParam().figures));
}

INSTANTIATE_TEST_SUITE_P(Assess, KnownAnswers, testing::ValuesIn(known_answers),
                         [](const auto &test) { return std::string(test.param.input); });

/// The names of estimators and figures in the output of NIST's tool.
struct Printed {
	const char *estimator;
	const char *key;
	std::map<std::string, const char *> figures;
};

const std::map<std::string, const char *> printed_predictions{{"C", "c"},
                                                              {"r", "r"},
                                                              {"N", "n"},
                                                              {"P_global", "p_global"},
                                                              {"P_global'", "p_global_bound"},
                                                              {"P_local", "p_local"}};

const std::vector<Printed> printed{
    {"Most Common Value",
     "most_common_value",
     {{"Mode count", "mode_count"}, {"p-hat", "p_hat"}, {"p_u", "p_u"}}},
    {"Collision",
     "collision",
     {{"v", "v"},
      {"Sum t_i", "sum_t"},
      {"X-bar", "mean"},
      {"sigma-hat", "sigma_hat"},
      {"X-bar'", "mean_bound"},
      {"p", "p"}}},
    {"Markov",
     "markov",
     {{"P_0", "p_0"},
      {"P_1", "p_1"},
      {"P_{0,0}", "p_00"},
      {"P_{0,1}", "p_01"},
      {"P_{1,0}", "p_10"},
      {"P_{1,1}", "p_11"},
      {"p-hat_max", "p_hat_max"}}},
    {"Compression",
     "compression",
     {{"X-bar", "mean"}, {"sigma-hat", "sigma_hat"}, {"X-bar'", "mean_bound"}, {"p", "p"}}},
    {"t-Tuple", "t_tuple", {{"t", "t"}, {"p-hat_max", "p_hat_max"}, {"p_u", "p_u"}}},
    {"LRS", "lrs", {{"u", "u"}, {"v", "v"}, {"p-hat", "p_hat"}, {"p_u", "p_u"}}},
    {"MultiMCW Prediction", "multi_mcw", printed_predictions},
    {"Lag Prediction", "lag", printed_predictions},
    {"MultiMMC Prediction", "multi_mmc", printed_predictions},
    {"LZ78Y Prediction", "lz78y", printed_predictions},
};

/// Parses lines like "Literal t-Tuple Estimate: p_u = 0.5", and "H_original: 0.5" at the end.
Figures parse_published(std::istream &in)
{
	Figures all;
	for (std::string line; std::getline(in, line);) {
		const auto equals = line.rfind(" = ");
		const auto colon = line.rfind(": ");
		if (line.starts_with("H_") || line.starts_with("Assessed")) {
			const auto end = equals != std::string::npos ? equals : colon;
			const double value = std::stod(line.substr(line.find_first_of("0123456789.", end)));
			if (line.starts_with("H_original"))
				all["assessment all h_original"] = value;
			else if (line.starts_with("Assessed"))
				all["assessment all min_entropy"] = value;
			else if (!line.contains("Per Symbol"))
				all["assessment all h_bitstring"] = value;
			continue;
		}
		for (const auto &[estimator, key, names] : printed) {
			const auto title = fmt::format(" {} Estimate: ", estimator);
			const auto at = line.find(title);
			if (at == std::string::npos || equals == std::string::npos)
				continue;
			const auto name = line.substr(at + title.size(), equals - at - title.size());
			const auto form = line.starts_with("Literal") ? Form::literal : Form::bitstring;
			all[fmt::format("{} {} {}", assess::key(form), key,
			                name == "min entropy" ? "min_entropy" : names.at(name))] =
			    std::stod(line.substr(equals + 3));
		}
	}
	return all;
}

class Published : public testing::TestWithParam<const char *> {};

TEST_P(Published, EveryFigureIsThatOfNistsTool)
{
	const char *folder = std::getenv("HWRNGD_VECTORS"); // NOLINT: there is only one thread
	if (folder == nullptr)
		GTEST_SKIP() << "HWRNGD_VECTORS must name a folder with NIST's files in sp800_90b/";
	const auto path = std::string(folder) + "/sp800_90b/" + GetParam();
	std::ifstream in(path + ".bin", std::ios::binary);
	std::ifstream expected(path + ".res");
	if (!in || !expected)
		GTEST_SKIP() << path << ".bin or .res is missing";
	const auto symbols =
	    to_symbols({std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}, {});
	ASSERT_TRUE(symbols) << symbols.error().message;
	const auto assessment = non_iid(*symbols);
	ASSERT_TRUE(assessment) << assessment.error().message;
	expect_same(figures(*assessment), parse_published(expected));
}

INSTANTIATE_TEST_SUITE_P(Assess, Published,
                         testing::Values("biased-random-bytes", "data.pi", "rand1_short",
                                         "rand4_short", "rand8_short", "truerand_4bit"),
                         [](const auto &test) {
	                         std::string name = test.param;
	                         for (char &c : name)
		                         c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
	                         return name;
                         });

TEST(Assess, SymbolsAreNumberedInTheirOrder)
{
	const auto symbols = to_symbols({7, 3, 200, 3}, std::nullopt);
	ASSERT_TRUE(symbols);
	EXPECT_EQ(symbols->values, (std::vector<uint8_t>{1, 0, 2, 0}));
	EXPECT_EQ(symbols->raw, (std::vector<uint8_t>{7, 3, 200, 3}));
	EXPECT_EQ(symbols->alphabet, 3U);
	EXPECT_EQ(symbols->bits, 8U);
	EXPECT_EQ(to_symbols({0, 5}, std::nullopt)->bits, 3U);
	EXPECT_EQ(to_symbols({0, 0}, std::nullopt)->bits, 1U);
	EXPECT_EQ(to_symbols({0, 5}, 6)->bits, 6U);
}

TEST(Assess, ASymbolThatDoesNotFitIsNamed)
{
	const auto symbols = to_symbols({1, 15, 16}, 4);
	ASSERT_FALSE(symbols);
	EXPECT_EQ(symbols.error().code, ExitCode::usage);
	EXPECT_EQ(symbols.error().message,
	          "sample 2 is 16, which needs 5 bits and does not fit into 4");
}

TEST(Assess, NothingAndTooLittleAreRefused)
{
	EXPECT_FALSE(to_symbols({}, std::nullopt));

	// The compression estimate needs at least 6006 bits, MultiMCW at least 4096 symbols.
	auto bits = stream(6006);
	for (auto &bit : bits)
		bit &= 1U;
	EXPECT_TRUE(non_iid(*to_symbols(bits, 1)));
	bits.pop_back();
	const auto few_bits = non_iid(*to_symbols(bits, 1));
	ASSERT_FALSE(few_bits);
	EXPECT_EQ(few_bits.error().code, ExitCode::check_failed);
	EXPECT_NE(few_bits.error().message.find("6006"), std::string::npos);

	EXPECT_TRUE(non_iid(*to_symbols(stream(4096), 8)));
	const auto few_bytes = non_iid(*to_symbols(stream(4095), 8));
	ASSERT_FALSE(few_bytes);
	EXPECT_NE(few_bytes.error().message.find("4096"), std::string::npos);
}

TEST(Assess, AConstantHasNoEntropy)
{
	const auto assessment = non_iid(*to_symbols(std::vector<uint8_t>(10'000, 9), std::nullopt));
	ASSERT_FALSE(assessment);
	EXPECT_EQ(assessment.error().message, "all 10000 samples are 9: no entropy");

	// All samples but one are equal: the compression estimate must not find full entropy.
	std::vector<uint8_t> nearly(10'000, 0);
	nearly.back() = 1;
	const auto little = non_iid(*to_symbols(nearly, 1));
	ASSERT_TRUE(little);
	EXPECT_LT(little->min_entropy, 0.01);
	EXPECT_EQ(figures(*little).at("literal compression min_entropy"), 0);
}

TEST(Assess, AnUndefinedEstimateSaysWhyAndTheOthersDecide)
{
	// Each of 256 values occurs only 16 times in 4096 samples, not 35 times.
	std::vector<uint8_t> values(4096);
	for (size_t i = 0; i < values.size(); i++)
		values[i] = static_cast<uint8_t>(i);
	const auto assessment = non_iid(*to_symbols(values, 8));
	ASSERT_TRUE(assessment);
	bool found = false;
	for (const auto &estimate : assessment->estimates) {
		EXPECT_NE(estimate.min_entropy.has_value(), !estimate.note.empty());
		if (estimate.estimator == Estimator::t_tuple && estimate.form == Form::literal) {
			found = true;
			EXPECT_EQ(estimate.note, "no value occurs 35 times");
		}
	}
	EXPECT_TRUE(found);
	// The lag of its period predicts a counter.
	EXPECT_LT(assessment->min_entropy, 0.1);
}

TEST(Assess, AnAlphabetOfTwoHasNoBitstringWhateverItsWidth)
{
	auto values = stream(20'000);
	for (auto &value : values)
		value = (value & 1U) != 0 ? 200 : 3;
	const auto assessment = non_iid(*to_symbols(values, 8));
	ASSERT_TRUE(assessment);
	EXPECT_FALSE(assessment->h_bitstring);
	EXPECT_EQ(assessment->estimates.size(), all_estimators.size());
	EXPECT_LE(assessment->min_entropy, 1);
	EXPECT_GT(assessment->min_entropy, 0.5);
}

TEST(Assess, ThreadsDoNotChangeTheResult)
{
	const auto symbols = to_symbols(samples_of("ctr8_short"), 8);
	const auto one = non_iid(*symbols, {.threads = 1});
	const auto many = non_iid(*symbols, {.threads = 7});
	ASSERT_TRUE(one && many);
	EXPECT_EQ(figures(*one), figures(*many));
	for (size_t i = 0; i < one->estimates.size(); i++)
		EXPECT_EQ(one->estimates[i].estimator, many->estimates[i].estimator);
}

TEST(Assess, ProgressRisesToAll)
{
	const auto symbols = to_symbols(samples_of("ctr8_short"), 8);
	double last = 0;
	bool fell = false;
	const auto assessment = non_iid(*symbols, {.progress = [&](double share) {
		fell = fell || share < last;
		last = share;
	}});
	ASSERT_TRUE(assessment);
	EXPECT_FALSE(fell);
	EXPECT_NEAR(last, 1, 1e-9);
}

TEST(Assess, EndsWhenItIsToldTo)
{
	const auto symbols = to_symbols(samples_of("ctr4"), 4);
	std::stop_source stop;
	const auto assessment =
	    non_iid(*symbols, {.threads = 2, .stop = stop.get_token(), .progress = [&](double share) {
		                       if (share > 0.05)
			                       stop.request_stop();
	                       }});
	ASSERT_FALSE(assessment);
	EXPECT_EQ(assessment.error().code, ExitCode::interrupted);
}

} // namespace
