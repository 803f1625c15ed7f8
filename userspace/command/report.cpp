// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/report.h"

#include "command/chart.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace hwrngd {

namespace {

using chart::escape;

constexpr const char *style = R"(
:root{color-scheme:light dark;--page:#f6f7f8;--card:#fff;--text:#1b2025;--dim:#57616b;--line:#d8dde2;
--one:#2a6db0;--two:#b86a00;--mark:#1b2025;--good:#176f42;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--page:#14171a;--card:#1c2024;--text:#e5e8eb;--dim:#9da7b0;
--line:#363d44;--one:#6aa8ea;--two:#e3a04a;--mark:#e5e8eb;--good:#63cd93;--bad:#ff8f85}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:1.5rem 1rem 3rem;background:var(--page);color:var(--text);
font:15px/1.5 system-ui,sans-serif}
header h1{font-size:1.25rem;margin:0;overflow-wrap:anywhere}
header p,figcaption,small{color:var(--dim)}
header p{margin:0 0 1rem}
h2{font-size:1.05rem;margin:0 0 .6rem}
section,figure{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem;
margin:0 0 1rem;min-width:0}
.verdict{border-left:6px solid var(--good)}
.verdict.failed{border-left-color:var(--bad)}
.verdict strong{font-size:1.9rem;line-height:1.2;display:block}
.verdict ul{margin:.4rem 0;padding-left:1.2rem}
.good{color:var(--good)}
.bad{color:var(--bad)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:0 1rem}
figcaption{font-size:.87rem;margin-top:.4rem}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font-size:11px;fill:var(--dim)}
.bar{fill:var(--one);shape-rendering:crispEdges}
.grid{stroke:var(--line)}
.axis{stroke:var(--dim)}
.level{stroke:var(--two);stroke-width:1.5;stroke-dasharray:5 3}
.mark{stroke:var(--mark);stroke-width:1.5}
.planes{display:grid;grid-template-columns:repeat(4,1fr);gap:.6rem}
.planes small{display:block;text-align:center}
.plane path{stroke:var(--one)}
.plane{border:1px solid var(--line);shape-rendering:crispEdges}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:right;padding:.2rem .6rem;border-bottom:1px solid var(--line);white-space:nowrap;
font-variant-numeric:tabular-nums}
th:first-child,td:first-child{text-align:left;padding-left:0}
.meters td:nth-child(2){width:60%;min-width:7rem}
.meter{height:9px;margin:3px 0;background:var(--line);border-radius:3px;overflow:hidden}
.meter i{display:block;height:100%;background:var(--one)}
.meter i.bits{background:var(--two)}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;background:var(--one)}
.key.bits{background:var(--two)}
.figures td{white-space:normal;overflow-wrap:anywhere}
.figures td:first-child{white-space:nowrap}
summary{cursor:pointer;margin-top:.8rem}
)";

std::string bits(unsigned count)
{
	return count == 1 ? "1 bit" : fmt::format("{} bits", count);
}

std::string paragraph(std::string_view text)
{
	return fmt::format("<p>{}</p>\n", escape(text));
}

const char *passed_or_failed(bool passed)
{
	return passed ? R"(<td class="good">passed</td>)" : R"(<td class="bad">failed</td>)";
}

std::string figure(std::string_view title, const std::string &picture, std::string_view caption)
{
	return fmt::format("<figure><h2>{}</h2>{}<figcaption>{}</figcaption></figure>\n", title,
	                   picture, escape(caption));
}

std::string verdict(const Report &report)
{
	const auto entropy = min_entropy(report);
	const auto failed = failures(report);
	std::string html =
	    fmt::format(R"(<section class="verdict{}">)", failed.empty() ? "" : " failed");
	if (entropy)
		html += fmt::format(
		    "<strong>{:.4g} of {}</strong>min-entropy per sample; quality as a hwrng: {} of 1024",
		    *entropy, bits(report.profile.bits), static_cast<unsigned>(*entropy / 8 * 1024));
	else
		html += "<strong>No entropy awarded</strong>";
	if (failed.empty()) {
		html += R"(<p class="good">No test failed.</p>)";
	} else {
		html += R"(<ul class="bad">)";
		for (const auto &test : failed)
			html += fmt::format("<li>{}</li>", escape(test));
		html += "</ul>";
	}
	for (const auto &warning : report.warnings)
		html += paragraph(warning);
	html +=
	    "<small>This is an estimate from these samples only: the part that no test could predict. "
	    "It is not a proof. Samples that were hashed or encrypted look like full entropy, whatever "
	    "produced them. If a source offers raw samples, assess those.</small></section>\n";
	return html;
}

/// A bar: the estimate as a share of the most that its symbols could have.
std::string meter(const assess::Estimate &estimate, double most)
{
	const bool bitstring = estimate.form == assess::Form::bitstring;
	return fmt::format(R"(<div class="meter"><i{} style="width:{:.1f}%"></i></div>)",
	                   bitstring ? R"( class="bits")" : "",
	                   std::clamp(estimate.min_entropy.value_or(0) / most, 0.0, 1.0) * 100);
}

std::string to_text(const assess::Figure &figure)
{
	return std::visit(
	    [&](auto value) { return fmt::format("{} = {}", escape(figure.name), value); },
	    figure.value);
}

std::string estimators(const assess::Assessment &assessment)
{
	std::string html = "<section><h2>Estimators</h2><div class=\"scroll\"><table class=\"meters\">"
	                   "<tr><th>SP 800-90B, 6.3</th><th></th><th>symbols</th><th>bits</th></tr>";
	auto out = std::back_inserter(html);
	for (const auto estimator : assess::all_estimators) {
		std::string bars;
		std::string literal = "&ndash;";
		std::string bitstring = "&ndash;";
		for (const auto &estimate : assessment.estimates) {
			if (estimate.estimator != estimator || !estimate.min_entropy)
				continue;
			const bool whole = estimate.form == assess::Form::literal;
			(whole ? literal : bitstring) = fmt::format("{:.4f}", *estimate.min_entropy);
			const auto bar = meter(estimate, whole ? assessment.bits : 1);
			bars.insert(whole ? 0 : bars.size(), bar);
		}
		fmt::format_to(out, "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
		               assess::title(estimator), bars, literal, bitstring);
	}
	fmt::format_to(out,
	               R"(</table></div><p><small><span class="key"></span> symbols, of {} )"
	               R"(<span class="key bits"></span> their bits, of 1 bit. The lowest counts.)"
	               "</small></p><details><summary>All figures</summary>"
	               R"(<div class="scroll"><table class="figures">)",
	               bits(assessment.bits));
	for (const auto &estimate : assessment.estimates) {
		std::string figures;
		for (const auto &one : estimate.figures)
			figures += (figures.empty() ? "" : ", ") + to_text(one);
		fmt::format_to(out, "<tr><td>{}, {}</td><td>{}{}</td></tr>",
		               assess::title(estimate.estimator), assess::key(estimate.form), figures,
		               escape(estimate.note));
	}
	html += "</table></div></details></section>\n";
	return html;
}

std::string iid_track(const iid::Assessment &iid)
{
	std::string html = "<section><h2>Independent and identically distributed?</h2>"
	                   "<div class=\"scroll\"><table><tr><th>SP 800-90B, 5.2</th><th></th>"
	                   "<th>T</th><th>degrees</th><th>p</th></tr>";
	auto out = std::back_inserter(html);
	const auto chi_square = [&](const char *name, const iid::ChiSquare &test) {
		fmt::format_to(out, "<tr><td>{}</td>{}<td>{:.1f}</td><td>{}</td><td>{:.4g}</td></tr>", name,
		               passed_or_failed(test.passed()), test.score, test.degrees_of_freedom,
		               test.p);
	};
	chi_square("Chi-square, independence", iid.independence);
	chi_square("Chi-square, goodness of fit", iid.goodness_of_fit);
	const auto &repeat = iid.longest_repeat;
	fmt::format_to(
	    out, "<tr><td>Longest repeated substring</td>{}<td>{}</td><td></td><td>{:.4g}</td></tr>",
	    passed_or_failed(repeat.passed), repeat.length, repeat.p);
	html += "</table></div><details><summary>Permutation tests, 5.1: ";
	html += iid.permutations_passed() ? R"(<span class="good">passed</span>)"
	                                  : R"(<span class="bad">failed</span>)";
	html += "</summary><div class=\"scroll\"><table><tr><th>Statistic</th><th></th><th>T</th>"
	        "<th>higher</th><th>equal</th><th>lower</th></tr>";
	for (size_t i = 0; i < iid::statistics; i++) {
		const auto &ranked = iid.permutations[i];
		const char *result = ranked.verdict == iid::Verdict::not_needed
		                         ? "<td>not needed</td>"
		                         : passed_or_failed(ranked.verdict == iid::Verdict::passed);
		fmt::format_to(out,
		               "<tr><td>{}</td>{}<td>{:.12g}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
		               iid::name(static_cast<iid::Statistic>(i)), result, ranked.value,
		               ranked.higher, ranked.equal, ranked.lower);
	}
	html +=
	    "</table></div><p><small>The numbers of permutations of the samples with a higher, an "
	    "equal and a lower statistic. A statistic passes as soon as more than five permutations "
	    "are at least as high, and more than five at least as low."
	    "</small></p></details></section>\n";
	return html;
}

std::string restarts(const restart::Assessment &restart)
{
	const auto row = [](const char *name, const std::string &value) {
		return fmt::format("<tr><td>{}</td><td>{}</td></tr>", name, value);
	};
	const auto entropy = [](const std::optional<double> &value) {
		return value ? fmt::format("{:.6f}", *value) : std::string("not assessed");
	};
	std::string html = "<section><h2>Restart tests</h2><div class=\"scroll\"><table>";
	html += row("Most common value in a row",
	            fmt::format("{} times, of {} allowed", restart.most_in_row, restart.cutoff));
	html += row("Most common value in a column",
	            fmt::format("{} times, of {} allowed", restart.most_in_column, restart.cutoff));
	html += row("H<sub>I</sub>, initial", entropy(restart.h_initial));
	html += row("H<sub>r</sub>, rows", entropy(restart.h_rows));
	html += row("H<sub>c</sub>, columns", entropy(restart.h_columns));
	html += "</table></div></section>\n";
	return html;
}

/// The end of an axis, slightly above the largest value.
double headroom(double greatest)
{
	return greatest > 0 ? greatest * 1.08 : 1;
}

std::string histogram(const Profile &profile)
{
	chart::Chart chart;
	chart.description = "How often each value occurs";
	const size_t values = size_t{1} << profile.bits;
	uint64_t greatest = 0;
	for (size_t i = 0; i < values; i++) {
		const uint64_t count = profile.histogram[i];
		greatest = std::max(greatest, count);
		chart.bars.push_back({static_cast<double>(count), fmt::format("{}: {} times", i, count)});
	}
	const auto n = static_cast<double>(profile.samples);
	chart.high = headroom(static_cast<double>(greatest));
	chart.levels = {n / static_cast<double>(values)};
	for (size_t i = 0; i <= 4 && values >= 8; i++)
		chart.across.push_back({static_cast<double>(i * values) / 4 - (i == 4 ? 1.0 : 0.0),
		                        std::to_string(i * values / 4 - (i == 4 ? 1 : 0))});
	for (size_t i = 0; i < values && values < 8; i++)
		chart.across.push_back({static_cast<double>(i), std::to_string(i)});
	chart.up = {{0, "0"}, {static_cast<double>(greatest), std::to_string(greatest)}};
	return figure("Values", chart::to_svg(chart),
	              "How often each value occurs. Dashed: expected if all are equally likely.");
}

std::string autocorrelation(const Profile &profile)
{
	chart::Chart chart;
	chart.description = "Autocorrelation by lag";
	// For independent samples, 99 of 100 lags stay inside this band.
	const double band =
	    2.5758 / std::sqrt(static_cast<double>(std::max<uint64_t>(1, profile.samples)));
	double greatest = band;
	for (size_t i = 0; i < Profile::lags; i++) {
		const double value = profile.autocorrelation[i];
		greatest = std::max(greatest, std::abs(value));
		chart.bars.push_back({value, fmt::format("lag {}: {:.5f}", i + 1, value)});
	}
	chart.high = headroom(greatest);
	chart.low = -chart.high;
	chart.levels = {band, -band};
	for (const size_t lag : std::array<size_t, 5>{1, 16, 32, 48, 64})
		chart.across.push_back({static_cast<double>(lag - 1), std::to_string(lag)});
	chart.up = {{greatest, fmt::format("{:.2g}", greatest)},
	            {0, "0"},
	            {-greatest, fmt::format("{:.2g}", -greatest)}};
	return figure(
	    "Autocorrelation", chart::to_svg(chart),
	    "Of samples 1 to 64 apart. Dashed: if the samples are independent, 99 of 100 lags "
	    "stay inside.");
}

std::string run_lengths(const Profile &profile)
{
	chart::Chart chart;
	chart.description = "Runs of equal bits, by length";
	// n bits of a fair coin have about n / 2^(length + 1) runs of each length. The last class
	// counts its own length and all longer runs: as many as the class before it.
	const double bits = static_cast<double>(profile.samples) * profile.bits;
	// A logarithmic scale that begins at half a run.
	const auto scale = [](double count) { return count > 0.5 ? std::log10(count / 0.5) : 0; };
	double greatest = 0;
	for (size_t i = 0; i < Profile::run_lengths; i++) {
		const bool last = i + 1 == Profile::run_lengths;
		const double expected = bits * std::exp2(-static_cast<double>(i + (last ? 1 : 2)));
		const auto count = static_cast<double>(profile.runs[i]);
		greatest = std::max({greatest, scale(count), scale(expected)});
		chart.bars.push_back(
		    {scale(count), fmt::format("{}{}: {} times, {:.1f} expected", i + 1,
		                               last ? " or more" : "", profile.runs[i], expected)});
		chart.expected.push_back(scale(expected));
	}
	chart.high = headroom(greatest);
	for (const size_t length : std::array<size_t, 4>{1, 5, 10, 15})
		chart.across.push_back({static_cast<double>(length - 1), std::to_string(length)});
	chart.across.push_back({Profile::run_lengths - 1, fmt::format("{}+", Profile::run_lengths)});
	for (int power = 0; scale(std::pow(10, power)) <= greatest; power += greatest > 5 ? 2 : 1)
		chart.up.push_back({scale(std::pow(10, power)), fmt::format("1e{}", power)});
	return figure("Runs of equal bits", chart::to_svg(chart),
	              "By length, on a logarithmic scale. Lines: expected from a fair coin.");
}

std::string block_failures(const Profile &profile)
{
	chart::Chart chart;
	chart.description = "FIPS 140-2 blocks that failed, in order of time";
	double greatest = 0;
	for (size_t i = 0; i < profile.failures.size(); i++) {
		const auto count = static_cast<double>(profile.failures[i]);
		greatest = std::max(greatest, count);
		const uint64_t first = i * profile.blocks_a_period;
		const uint64_t last = std::min(first + profile.blocks_a_period, profile.fips.blocks) - 1;
		chart.bars.push_back(
		    {count, fmt::format("blocks {} to {}: {} failed", first, last, profile.failures[i])});
	}
	greatest = std::max(1.0, greatest);
	chart.high = headroom(greatest);
	chart.up = {{0, "0"}, {greatest, fmt::format("{}", greatest)}};
	chart.across = {{0, "0"}};
	if (profile.failures.size() > 1)
		chart.across.push_back({static_cast<double>(profile.failures.size() - 1),
		                        std::to_string(profile.fips.blocks - 1)});
	return figure(
	    "FIPS 140-2 over time", chart::to_svg(chart),
	    fmt::format("Failed blocks of 20,000 bits, {}. In all, {} of {} failed; a perfect "
	                "source fails at most {} in 99.9 % of runs.",
	                profile.blocks_a_period == 1
	                    ? "one by one"
	                    : fmt::format("of {} in a row", profile.blocks_a_period),
	                profile.fips.failures, profile.fips.blocks,
	                fips140_2::failures_allowed(profile.fips.blocks)));
}

std::string to_text(std::chrono::microseconds time)
{
	const auto count = static_cast<double>(time.count());
	if (count < 1e3)
		return fmt::format("{:.0f} \u00b5s", count);
	return count < 1e6 ? fmt::format("{:.3g} ms", count / 1e3)
	                   : fmt::format("{:.3g} s", count / 1e6);
}

std::string latency_of_reads(const Latency &latency)
{
	chart::Chart chart;
	chart.description = "How long reads took";
	const auto used = [](uint64_t count) { return count > 0; };
	const auto *const first = std::ranges::find_if(latency.counts, used);
	const auto *const last =
	    std::find_if(latency.counts.rbegin(), latency.counts.rend(), used).base();
	uint64_t greatest = 0;
	for (const auto *it = first; it < last; it++) {
		const auto power = static_cast<unsigned>(it - latency.counts.begin());
		const auto from = to_text(std::chrono::microseconds(uint64_t{1} << power));
		greatest = std::max(greatest, *it);
		chart.across.push_back({static_cast<double>(chart.bars.size()), from});
		chart.bars.push_back(
		    {static_cast<double>(*it), fmt::format("from {}: {} reads", from, *it)});
	}
	// At most about six bars get a label.
	const size_t each = (chart.across.size() + 5) / 6;
	std::vector<chart::Tick> named;
	for (size_t i = 0; i < chart.across.size(); i += each)
		named.push_back(chart.across[i]);
	chart.across = named;
	chart.high = headroom(static_cast<double>(greatest));
	chart.up = {{0, "0"}, {static_cast<double>(greatest), std::to_string(greatest)}};
	return figure(
	    "Latency of reads", chart::to_svg(chart),
	    fmt::format("How many of {} reads took the labelled time or up to twice as long. The "
	                "longest took {}.",
	                latency.reads, to_text(latency.longest)));
}

std::string bit_planes(const Profile &profile)
{
	std::string planes = R"(<div class="planes">)";
	for (unsigned bit = profile.bits; bit-- > 0;)
		planes += fmt::format("<div>{}<small>bit {}</small></div>",
		                      chart::bit_plane(profile.first, bit), bit);
	planes += "</div>";
	return figure(
	    "Bit planes", planes,
	    fmt::format("Each bit of the first {} samples, 64 in a row. A good source shows no "
	                "pattern.",
	                profile.first.size()));
}

} // namespace

std::optional<double> min_entropy(const Report &report)
{
	if (report.restart)
		return report.restart->passed() ? std::optional(report.restart->min_entropy())
		                                : std::nullopt;
	if (report.iid && report.iid->iid())
		return report.iid->min_entropy;
	if (report.assessment)
		return report.assessment->min_entropy;
	return std::nullopt;
}

std::vector<std::string> failures(const Report &report)
{
	std::vector<std::string> failed;
	const auto &fips = report.profile.fips;
	if (fips.blocks > 0 && !fips.healthy())
		failed.push_back(
		    fmt::format("FIPS 140-2: {} of {} blocks failed", fips.failures, fips.blocks));
	if (report.iid) {
		const auto &iid = *report.iid;
		if (!iid.independence.passed())
			failed.emplace_back("IID track: chi-square test of independence");
		if (!iid.goodness_of_fit.passed())
			failed.emplace_back("IID track: chi-square test of goodness of fit");
		if (!iid.longest_repeat.passed)
			failed.emplace_back("IID track: longest repeated substring");
		const auto count =
		    std::ranges::count(iid.permutations, iid::Verdict::failed, &iid::Ranked::verdict);
		if (count > 0)
			failed.push_back(
			    fmt::format("IID track: {} of {} permutation tests", count, iid::statistics));
	}
	if (report.restart && !report.restart->sane())
		failed.emplace_back("Restart tests: a value is too common in a row or column");
	else if (report.restart && !report.restart->passed())
		failed.emplace_back(
		    "Restart tests: rows or columns hold less than half of the initial estimate");
	return failed;
}

std::string to_html(const Report &report)
{
	// The content security policy ensures that the page loads and runs nothing.
	std::string html = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
	                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';"
	                   "style-src 'unsafe-inline';img-src data:\">"
	                   "<link rel=\"icon\" href=\"data:,\"><title>";
	html += escape(report.name);
	html += ": assessment</title><style>";
	html += style;
	html += "</style></head><body>\n";
	html += fmt::format("<header><h1>{}</h1><p>{} samples of {} &middot; {} &middot; hwrngctl "
	                    "{}</p></header>\n<main>",
	                    escape(report.name), report.profile.samples, bits(report.profile.bits),
	                    escape(report.made), escape(report.version));
	html += verdict(report);
	if (report.assessment)
		html += estimators(*report.assessment);
	if (report.iid)
		html += iid_track(*report.iid);
	if (report.restart)
		html += restarts(*report.restart);
	html += R"(<div class="charts">)";
	html += histogram(report.profile);
	html += bit_planes(report.profile);
	html += autocorrelation(report.profile);
	html += run_lengths(report.profile);
	if (report.profile.fips.blocks > 0)
		html += block_failures(report.profile);
	if (report.latency && report.latency->reads > 0)
		html += latency_of_reads(*report.latency);
	html += "</div></main></body></html>\n";
	return html;
}

} // namespace hwrngd
