// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/assess.h"
#include "base/interrupt.h"
#include "base/json_object.h"
#include "base/write_file.h"
#include "command/assess_tests.h"
#include "command/command.h"
#include "command/output.h"
#include "command/progress.h"
#include "command/report.h"
#include "command/sample.h"
#include "control/config.h"
#include "control/credit.h"
#include "control/policy.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using namespace assess;

/// Reads `wanted` samples, or all of them. Adds the time of each read to `latency`, if given.
Result<std::vector<uint8_t>> read_samples(Source &source, const std::string &name,
                                          std::optional<uint64_t> wanted,
                                          Latency *latency = nullptr)
{
	using namespace std::chrono;
	constexpr size_t piece = 4096;
	const uint64_t most = wanted.value_or(most_samples + 1);
	Progress progress("Reading " + name);
	std::vector<uint8_t> samples;
	while (samples.size() < most) {
		const size_t have = samples.size();
		samples.resize(have + static_cast<size_t>(std::min<uint64_t>(piece, most - have)));
		const auto start = steady_clock::now();
		const auto n = fill(source, std::span(samples).subspan(have));
		if (latency != nullptr)
			latency->add(duration_cast<microseconds>(steady_clock::now() - start));
		if (!n)
			return std::unexpected(n.error());
		const bool ended = have + *n < samples.size();
		samples.resize(have + *n);
		if (ended)
			break;
		if (wanted)
			progress.update(static_cast<double>(samples.size()) / static_cast<double>(*wanted));
	}
	if (samples.empty())
		return fail(ExitCode::check_failed, fmt::format("{}: no samples", name));
	if (wanted && samples.size() < *wanted)
		return fail(
		    ExitCode::check_failed,
		    fmt::format("{}: ended after {} of {} samples; omit --samples to assess all of a file "
		                "or pipe",
		                name, samples.size(), *wanted));
	if (samples.size() > most_samples)
		return fail(
		    ExitCode::usage,
		    fmt::format("{}: more than {} samples; `--samples {}` assesses the first million", name,
		                most_samples, recommended_samples));
	return samples;
}

/// The samples to assess, and their source if they are not from a file.
struct Subject {
	std::string name;
	std::vector<uint8_t> samples;
	std::optional<SourceInfo> source;
	std::optional<Latency> latency{}; // NOLINT(readability-redundant-member-init): g++ wants it
};

Result<Subject> read_file(const std::string &file, const AssessOptions &options)
{
	constexpr size_t piece = size_t{64} << 10U;
	auto source = open_device(file, piece);
	if (!source)
		return std::unexpected(source.error());
	auto wanted = options.samples;
	if (!wanted && !ends(file))
		wanted = recommended_samples;
	const auto name = file == "-" ? "standard input" : file;
	auto samples = read_samples(**source, name, wanted);
	if (!samples)
		return std::unexpected(samples.error());
	return Subject{name, std::move(*samples), std::nullopt};
}

Result<Subject> read_source(const Context &context, const AssessOptions &options)
{
	const auto inventory = inventory_of(context);
	if (!inventory)
		return std::unexpected(inventory.error());
	const auto candidates = rank(*inventory, options.source);
	if (!candidates)
		return std::unexpected(candidates.error());
	const auto &info = candidates->front().source;
	auto opened = open_source(context.root, info);
	if (!opened)
		return std::unexpected(opened.error());
	Latency latency;
	auto samples =
	    read_samples(**opened, info.name, options.samples.value_or(recommended_samples), &latency);
	if (auto closed = (*opened)->close(); !closed)
		return std::unexpected(closed.error());
	if (!samples)
		return std::unexpected(samples.error());
	return Subject{info.name, std::move(*samples), info, latency};
}

/// Calls run(options) with a progress bar, and stops it on an interrupt.
template <typename Run> auto with_progress(const std::string &what, const Run &run)
{
	std::stop_source stop;
	Progress progress(what);
	iid::Options options;
	options.stop = stop.get_token();
	options.progress = [&](double share) {
		progress.update(share);
		if (interrupted() != 0)
			stop.request_stop();
	};
	return run(options);
}

/// All results for a subject.
struct Found {
	Assessment assessment;
	std::optional<iid::Assessment> iid{}; // NOLINT(readability-redundant-member-init): g++ wants it
	std::optional<restart::Assessment>
	    restart{}; // NOLINT(readability-redundant-member-init): g++ wants it

	[[nodiscard]] bool passed() const
	{
		return (!iid || iid->iid()) && (!restart || restart->passed());
	}
};

Result<restart::Assessment> run_restart_tests(const std::string &file, unsigned bits,
                                              double h_initial, restart::Track track)
{
	auto source = open_device(file, restart::samples * 64);
	if (!source)
		return std::unexpected(source.error());
	auto rows = read_samples(**source, file, std::nullopt);
	if (!rows)
		return std::unexpected(rows.error());
	const auto symbols = to_symbols(std::move(*rows), bits);
	if (!symbols)
		return std::unexpected(symbols.error());
	return with_progress("Restart tests of " + file, [&](const auto &options) {
		return restart::run_tests(*symbols, h_initial, track, options);
	});
}

/// Runs the assessments that the options request.
Result<Found> find(const std::string &name, const Symbols &symbols, const AssessOptions &options)
{
	auto assessment =
	    with_progress("Assessing " + name, [&](const auto &how) { return non_iid(symbols, how); });
	if (!assessment)
		return fail(assessment.error().code,
		            fmt::format("{}: {}", name, assessment.error().message));
	Found found{.assessment = std::move(*assessment)};
	if (options.iid) {
		const auto iid = with_progress(
		    "IID track of " + name, [&](const auto &how) { return iid::run_track(symbols, how); });
		if (!iid)
			return fail(iid.error().code, fmt::format("{}: {}", name, iid.error().message));
		found.iid = *iid;
	}
	if (options.restart) {
		const bool iid = found.iid && found.iid->iid();
		const auto restart =
		    run_restart_tests(*options.restart, symbols.bits,
		                      iid ? found.iid->min_entropy : found.assessment.min_entropy,
		                      iid ? restart::Track::iid : restart::Track::non_iid);
		if (!restart)
			return fail(restart.error().code,
			            fmt::format("{}: {}", *options.restart, restart.error().message));
		found.restart = *restart;
	}
	return found;
}

/// Limits of the result that the reader must know.
std::vector<std::string> warnings(const Symbols &symbols)
{
	std::vector<std::string> all;
	if (symbols.raw.size() < recommended_samples)
		all.push_back(fmt::format("fewer than the {} samples that the standard requires",
		                          recommended_samples));
	const auto greatest = *std::max_element(symbols.raw.begin(), symbols.raw.end());
	const auto used = static_cast<unsigned>(std::bit_width(greatest));
	if (used < symbols.bits)
		all.push_back(
		    fmt::format("only {} of the {} bits of a sample are ever used", used, symbols.bits));
	if (symbols.alphabet < 1U << symbols.bits)
		all.push_back(
		    fmt::format("only {} of {} values occur", symbols.alphabet, 1U << symbols.bits));
	return all;
}

/// The quality, in bits of entropy per 1024 bits. Each sample was read as one byte.
unsigned assessed_quality(const Assessment &assessment)
{
	return static_cast<unsigned>(assessment.min_entropy / 8 * full_quality);
}

/// Writes the result to the configuration if `wanted`. Returns the file, or none.
Result<std::optional<std::filesystem::path>> save(const Context &context, const Subject &subject,
                                                  const Found &found, bool wanted)
{
	if (!wanted)
		return std::nullopt;
	if (found.restart && !found.restart->passed())
		return fail(ExitCode::check_failed,
		            fmt::format("{}: a restart test failed; nothing was saved", subject.name));
	auto path = write_assessed(context.root, subject.name, assessed_quality(found.assessment));
	if (!path) {
		if (path.error().code == ExitCode::not_permitted)
			path.error().message += "; saving needs root (sudo)";
		return std::unexpected(path.error());
	}
	return *path;
}

/// The claim of a source, limited by the assessment: the assessment can only lower it, because it
/// cannot distinguish noise from a computation.
unsigned proposed_quality(const Assessment &assessment, const SourceInfo &source)
{
	const unsigned assessed = assessed_quality(assessment);
	return source.claim > 0 ? std::min(assessed, source.claim) : assessed;
}

/// The confidence of each estimate: a bound of a two-sided 99 % interval (SP 800-90B, 6.3).
constexpr double confidence = 0.99;

nlohmann::ordered_json to_json(const Estimate &estimate)
{
	nlohmann::ordered_json document = json_object({{"min_entropy", nullptr}});
	if (estimate.min_entropy)
		document["min_entropy"] = *estimate.min_entropy;
	for (const auto &figure : estimate.figures)
		std::visit([&](auto value) { document[std::string(figure.name)] = value; }, figure.value);
	if (!estimate.note.empty())
		document["note"] = estimate.note;
	return document;
}

nlohmann::ordered_json to_json(const Assessment &assessment)
{
	auto estimators = nlohmann::ordered_json::array();
	for (const auto estimator : all_estimators) {
		nlohmann::ordered_json one = json_object({{"name", key(estimator)}});
		for (const auto &estimate : assessment.estimates)
			if (estimate.estimator == estimator)
				one[std::string(key(estimate.form))] = to_json(estimate);
		estimators.push_back(std::move(one));
	}
	nlohmann::ordered_json document = json_object({{"track", "non_iid"},
	                                               {"samples", assessment.samples},
	                                               {"bits_per_sample", assessment.bits},
	                                               {"alphabet", assessment.alphabet},
	                                               {"h_original", assessment.h_original},
	                                               {"h_bitstring", nullptr},
	                                               {"min_entropy", assessment.min_entropy},
	                                               {"estimators", std::move(estimators)}});
	if (assessment.h_bitstring)
		document["h_bitstring"] = *assessment.h_bitstring;
	return document;
}

void print_document(const Subject &subject, const Symbols &symbols, const Found &found,
                    const std::optional<std::filesystem::path> &saved)
{
	const auto &assessment = found.assessment;
	nlohmann::ordered_json document = json_object({{"source", subject.name}});
	document.update(to_json(assessment));
	document["warnings"] = warnings(symbols);
	if (subject.source)
		document["quality"] =
		    json_object({{"proposed", proposed_quality(assessment, *subject.source)},
		                 {"assessed", assessed_quality(assessment)},
		                 {"claim", subject.source->claim},
		                 {"of", full_quality},
		                 {"confidence", confidence}});
	if (found.iid)
		document["iid"] = hwrngd::to_json(*found.iid);
	if (found.restart)
		document["restart"] = hwrngd::to_json(*found.restart);
	if (saved)
		document["saved"] = saved->string();
	print_json(document);
}

Result<void> write_report(const std::string &path, const Subject &subject, const Symbols &symbols,
                          const Found &found)
{
	Profiler profiler(symbols.bits);
	profiler.add(symbols.raw);
	Report report;
	report.name = subject.name;
	report.made = fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)));
	report.version = HWRNGD_VERSION;
	report.profile = profiler.profile();
	report.assessment = found.assessment;
	report.iid = found.iid;
	report.restart = found.restart;
	report.latency = subject.latency;
	for (const auto &warning : warnings(symbols))
		report.warnings.push_back("Warning: " + warning);
	return write_file(path, to_html(report));
}

/// An estimate in bits per sample, whether of the samples or of their bits.
std::string per_sample(const Assessment &assessment, Estimator estimator, Form form)
{
	for (const auto &estimate : assessment.estimates)
		if (estimate.estimator == estimator && estimate.form == form)
			return estimate.min_entropy
			           ? fmt::format("{:.4f}", *estimate.min_entropy *
			                                       (form == Form::bitstring ? assessment.bits : 1))
			           : "undefined";
	return "-";
}

void print_text(const Subject &subject, const Symbols &symbols, const Found &found,
                const std::optional<std::filesystem::path> &saved)
{
	const auto &assessment = found.assessment;
	fmt::print("SP 800-90B assessment of {}, non-IID track\n"
	           "{} samples of {} bit{}, {} different values\n",
	           subject.name, assessment.samples, assessment.bits, assessment.bits == 1 ? "" : "s",
	           assessment.alphabet);
	for (const auto &warning : warnings(symbols))
		fmt::print("Warning: {}\n", warning);
	fmt::print("\nBits of min-entropy per sample\n  {:<20}{:>10}{:>10}\n", "ESTIMATOR", "AS BITS",
	           "AS VALUES");
	for (const auto estimator : all_estimators)
		fmt::print("  {:<20}{:>10}{:>10}\n", title(estimator),
		           per_sample(assessment, estimator, Form::bitstring),
		           per_sample(assessment, estimator, Form::literal));

	for (const auto &estimate : assessment.estimates)
		if (!estimate.min_entropy)
			fmt::print("{} ({}) is undefined: {}\n", title(estimate.estimator), key(estimate.form),
			           estimate.note);

	fmt::print("\nAssessed min-entropy: {:.4f} bits per sample of {}, the lowest of these\n",
	           assessment.min_entropy, assessment.bits);
	fmt::print(
	    "What it means: none of the ten estimators guesses the next sample more often than once\n"
	    "in {:.4g}. Each figure is the cautious end of a {:.0f} % interval, so even a perfect "
	    "source\n"
	    "stays below full entropy.\n"
	    "What it does not mean: that a better guess is impossible. Only the raw output of a noise\n"
	    "source can be assessed; a conditioned, encrypted or computed stream looks like full\n"
	    "entropy, whatever was put into it.\n",
	    std::exp2(assessment.min_entropy), confidence * 100);
	if (subject.source)
		fmt::print(
		    "\nProposed quality: {} of {}{}; assessed: {} with {:.0f} % confidence; {} claims {}\n",
		    proposed_quality(assessment, *subject.source), full_quality,
		    assessment.samples < recommended_samples ? ", for now" : "",
		    assessed_quality(assessment), confidence * 100, subject.name,
		    subject.source->claim > 0 ? std::to_string(subject.source->claim) : "nothing");
	if (saved)
		fmt::print("Saved in {}: {} is credited with at most {} bits per {}\n", saved->string(),
		           subject.name, assessed_quality(assessment), full_quality);
	if (found.iid)
		hwrngd::print_text(*found.iid);
	if (found.restart)
		hwrngd::print_text(*found.restart);
}

} // namespace

Result<ExitCode> assess_command(const Context &context, const AssessOptions &options)
{
	if (!options.file && !options.source)
		return fail(ExitCode::usage,
		            "assess: name a FILE (- is standard input) or a source (--source SOURCE)");
	if (options.save && !options.source)
		return fail(ExitCode::usage, "assess --save: name the source with --source SOURCE");
	const uint64_t wanted = options.samples.value_or(recommended_samples);
	if (options.save && wanted < recommended_samples)
		return fail(
		    ExitCode::usage,
		    fmt::format("assess --save: {} samples are too few to limit a credit; the standard "
		                "requires {}",
		                wanted, recommended_samples));
	auto subject = options.file ? read_file(*options.file, options) : read_source(context, options);
	if (!subject)
		return std::unexpected(subject.error());

	// A source returns whole bytes, even if some of their bits never change.
	std::optional<unsigned> bits;
	if (options.bits > 0 || subject->source)
		bits = options.bits > 0 ? options.bits : 8;
	const auto symbols = to_symbols(std::move(subject->samples), bits);
	if (!symbols)
		return fail(symbols.error().code,
		            fmt::format("{}: {}; omit --bits to use the width of the largest sample",
		                        subject->name, symbols.error().message));
	const auto found = find(subject->name, *symbols, options);
	if (!found)
		return std::unexpected(found.error());
	if (options.html)
		if (auto written = write_report(*options.html, *subject, *symbols, *found); !written)
			return std::unexpected(written.error());
	const auto saved = save(context, *subject, *found, options.save);
	if (!saved)
		return std::unexpected(saved.error());
	if (context.json)
		print_document(*subject, *symbols, *found, *saved);
	else
		print_text(*subject, *symbols, *found, *saved);
	return found->passed() ? ExitCode::done : ExitCode::check_failed;
}

} // namespace hwrngd
