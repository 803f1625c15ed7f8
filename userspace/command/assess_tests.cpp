// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/assess_tests.h"
#include "base/json_object.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

const char *to_text(iid::Verdict verdict)
{
	switch (verdict) {
	case iid::Verdict::passed:
		return "passed";
	case iid::Verdict::failed:
		return "failed";
	case iid::Verdict::not_needed:
		return "not needed";
	}
	return "?";
}

const char *to_text(bool passed)
{
	return passed ? "passed" : "FAILED";
}

nlohmann::ordered_json to_json(const iid::ChiSquare &test)
{
	return json_object({{"score", test.score},
	                    {"degrees_of_freedom", test.degrees_of_freedom},
	                    {"p", test.p},
	                    {"passed", test.passed()}});
}

nlohmann::ordered_json or_null(const std::optional<double> &value)
{
	return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

} // namespace

nlohmann::ordered_json to_json(const iid::Assessment &iid)
{
	auto permutations = nlohmann::ordered_json::array();
	for (size_t i = 0; i < iid::statistics; i++) {
		const auto &ranked = iid.permutations[i];
		permutations.push_back(json_object({{"name", iid::name(static_cast<iid::Statistic>(i))},
		                                    {"value", ranked.value},
		                                    {"higher", ranked.higher},
		                                    {"equal", ranked.equal},
		                                    {"lower", ranked.lower},
		                                    {"verdict", to_text(ranked.verdict)}}));
	}
	return json_object(
	    {{"iid", iid.iid()},
	     {"h_original", iid.h_original},
	     {"h_bitstring", or_null(iid.h_bitstring)},
	     {"min_entropy", iid.min_entropy},
	     {"chi_square_independence", to_json(iid.independence)},
	     {"chi_square_goodness_of_fit", to_json(iid.goodness_of_fit)},
	     {"longest_repeated_substring", json_object({{"length", iid.longest_repeat.length},
	                                                 {"p_col", iid.longest_repeat.collision},
	                                                 {"p", iid.longest_repeat.p},
	                                                 {"passed", iid.longest_repeat.passed}})},
	     {"permutations", std::move(permutations)}});
}

nlohmann::ordered_json to_json(const restart::Assessment &restart)
{
	return json_object({{"passed", restart.passed()},
	                    {"min_entropy", restart.min_entropy()},
	                    {"track", restart::name(restart.track)},
	                    {"h_initial", restart.h_initial},
	                    {"h_rows", or_null(restart.h_rows)},
	                    {"h_columns", or_null(restart.h_columns)},
	                    {"most_in_row", restart.most_in_row},
	                    {"most_in_column", restart.most_in_column},
	                    {"cutoff", restart.cutoff}});
}

void print_text(const iid::Assessment &iid)
{
	fmt::print("\nIID track (section 5): are the samples independent and identically distributed?\n"
	           "  {:<28}p = {:<12.4g}{}\n  {:<28}p = {:<12.4g}{}\n  {:<28}p = {:<12.4g}{}\n",
	           "Chi-square, independence", iid.independence.p, to_text(iid.independence.passed()),
	           "Chi-square, goodness of fit", iid.goodness_of_fit.p,
	           to_text(iid.goodness_of_fit.passed()), "Longest repeated substring",
	           iid.longest_repeat.p, to_text(iid.longest_repeat.passed));
	fmt::print("  {:<24}{:>16}{:>8}{:>8}{:>8}  \n", "PERMUTATION TEST", "T", "HIGHER", "EQUAL",
	           "LOWER");
	for (size_t i = 0; i < iid::statistics; i++) {
		const auto &ranked = iid.permutations[i];
		fmt::print("  {:<24}{:>16.12g}{:>8}{:>8}{:>8}  {}\n",
		           iid::name(static_cast<iid::Statistic>(i)), ranked.value, ranked.higher,
		           ranked.equal, ranked.lower, to_text(ranked.verdict));
	}
	if (iid.iid())
		fmt::print(
		    "No test found evidence against it. If they are, each has {:.4f} bits of min-entropy, "
		    "by the most common value.\n",
		    iid.min_entropy);
	else
		fmt::print("They are NOT, so the assessment of the non-IID track applies.\n");
}

void print_text(const restart::Assessment &restart)
{
	const auto entropy = [](const std::optional<double> &value) {
		return value ? fmt::format("{:.4f}", *value) : std::string("not assessed");
	};
	fmt::print("\nRestart tests (section 3.1.4)\n"
	           "  Most common value           {} in a row, {} in a column; allowed {}: {}\n"
	           "  Bits of min-entropy         initial {:.4f}, rows {}, columns {}{}\n",
	           restart.most_in_row, restart.most_in_column, restart.cutoff, to_text(restart.sane()),
	           restart.h_initial, entropy(restart.h_rows), entropy(restart.h_columns),
	           restart.track == restart::Track::iid ? ", by the most common value (IID)" : "");
	if (restart.passed())
		fmt::print("Passed: {:.4f} bits per sample, the lowest of these.\n", restart.min_entropy());
	else
		fmt::print("FAILED: no entropy is awarded.\n");
}

} // namespace hwrngd
