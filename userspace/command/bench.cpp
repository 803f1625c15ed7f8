// SPDX-License-Identifier: GPL-2.0-or-later
// Measures how fast the sources are. Their bytes are read, counted and wiped, but never fed.
#include "base/interrupt.h"
#include "base/json_object.h"
#include "base/secret_buffer.h"
#include "command/bench_figures.h"
#include "command/command.h"
#include "command/output.h"
#include "command/progress.h"
#include "control/open_source.h"
#include "control/policy.h"
#include "doctor/facts.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

namespace hwrngd {

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

double seconds_since(Clock::time_point start)
{
	return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The bytes to request in one read: as many as the source returns at once.
size_t natural_piece(SourceKind kind)
{
	switch (kind) {
	case SourceKind::hwrng: // RNG_BUFFER_SIZE of the framework, on most machines
		return 64;
	case SourceKind::tpm2: // every TPM returns at least this in one command
		return 32;
	case SourceKind::jitter: // the most that algif_rng returns
		return 128;
	case SourceKind::cpu: // enough to make the cost of the call and the clock negligible
	case SourceKind::generator:
	case SourceKind::command:
	case SourceKind::egd:
	case SourceKind::ssh:
		break;
	}
	return 4096;
}

struct Measured {
	explicit Measured(SourceInfo info, std::optional<Error> why = {})
	    : source(std::move(info)), read_bytes(natural_piece(source.kind)), error(std::move(why))
	{
	}

	SourceInfo source;
	size_t read_bytes; ///< requested by each read
	BenchFigures figures;
	double first_byte = 0;      ///< seconds since the open, including the switch of the hwrng
	std::optional<Error> error; ///< why it ended early or was not read
};

/// Reads a source for `seconds`, and calls `tick` with the seconds that have passed.
Measured measure(const Context &context, const SourceInfo &source, double seconds,
                 const std::function<void(double)> &tick)
{
	Measured row(source);
	const auto opening = Clock::now();
	auto opened = open_source(context.root, source);
	if (!opened) {
		if (opened.error().code != ExitCode::interrupted)
			row.error = opened.error();
		return row;
	}
	SecretBuffer buffer(row.read_bytes);
	std::vector<double> latencies;
	uint64_t bytes = 0;
	for (const auto start = Clock::now(); seconds_since(start) < seconds && interrupted() == 0;) {
		const auto before = Clock::now();
		const auto n = (*opened)->read(buffer.span(), stall_limit);
		const double latency = seconds_since(before);
		if (!n && n.error().code == ExitCode::interrupted)
			break;
		if (!n || *n == 0) {
			row.error = n ? Error{ExitCode::io_error, source.name + ": end of data"} : n.error();
			break;
		}
		if (latencies.empty())
			row.first_byte = seconds_since(opening);
		latencies.push_back(latency);
		bytes += *n;
		tick(seconds_since(start));
	}
	row.figures = figures_of(std::move(latencies), bytes);
	if (auto closed = (*opened)->close(); !closed) // more serious than an earlier error
		row.error = closed.error();
	return row;
}

/// Why a source is not measured unless it is named, or none if it is measured. `able`: it can be
/// switched to without danger.
std::optional<Error> not_unasked(const SourceInfo &source, bool able)
{
	if (!source.absent.empty())
		return Error{ExitCode::no_source, source.absent};
	if (source.kind == SourceKind::egd || source.kind == SourceKind::ssh)
		return Error{ExitCode::not_permitted,
		             "not measured: its bytes come from another machine; to measure it, name it "
		             "with --source"};
	if (!able)
		return Error{ExitCode::not_permitted,
		             "not measured: not in use, and bench does not switch to it by itself "
		             "(`hwrngctl policy --explain` says why); to measure it, name it with "
		             "--source"};
	return std::nullopt;
}

/// Measures all requested sources, one after the other, until an interrupt.
Result<std::vector<Measured>> measure_all(const Context &context, const Inventory &inventory,
                                          const BenchOptions &options)
{
	std::vector<SourceInfo> sources;
	std::set<std::string> able; // these are measured even if they are not named
	for (const auto &wanted : options.sources) {
		const auto found = rank(inventory, wanted);
		if (!found)
			return std::unexpected(found.error());
		sources.push_back(found->front().source);
		able.insert(wanted);
	}
	if (options.sources.empty()) {
		const auto candidates = rank(inventory, std::nullopt);
		if (!candidates)
			return std::unexpected(candidates.error());
		sources = inventory.sources;
		for (const auto &candidate : *candidates)
			able.insert(candidate.source.name);
	}
	Progress progress("Measuring");
	std::vector<Measured> rows;
	bool framework_stalled = false;
	for (const auto &source : sources) {
		if (interrupted() != 0)
			break;
		const auto why = options.sources.empty() ? not_unasked(source, able.contains(source.name))
		                                         : std::nullopt;
		if (why) {
			rows.emplace_back(source, *why);
			continue;
		}
		// The framework serves one reader at a time, and a hanging read cannot be cancelled.
		if (framework_stalled && source.kind == SourceKind::hwrng) {
			rows.emplace_back(source,
			                  Error{ExitCode::io_error, "/dev/hwrng: an earlier read still hangs"});
			continue;
		}
		const auto done = static_cast<double>(rows.size());
		const auto count = static_cast<double>(sources.size());
		rows.push_back(measure(context, source, options.seconds, [&](double passed) {
			progress.update((done + std::min(1.0, passed / options.seconds)) / count, source.name);
		}));
		const auto &error = rows.back().error;
		framework_stalled |=
		    source.kind == SourceKind::hwrng && error && error->number == ETIMEDOUT;
	}
	return rows;
}

Comparison compared(const Measured &row)
{
	return compare(row.figures.bytes_per_second, usual_rate(row.source));
}

Json to_json(const Measured &row)
{
	const auto &figures = row.figures;
	Json document = json_object({{"source", row.source.name},
	                             {"kind", name(row.source.kind)},
	                             {"read_bytes", row.read_bytes},
	                             {"reads", figures.reads},
	                             {"bytes", figures.bytes},
	                             {"bytes_per_second", nullptr},
	                             {"latency_seconds", nullptr},
	                             {"first_byte_seconds", nullptr},
	                             {"comparison", nullptr},
	                             {"usual", nullptr},
	                             {"error", nullptr}});
	if (figures.reads > 0) {
		document["bytes_per_second"] = figures.bytes_per_second;
		document["latency_seconds"] = json_object({{"median", figures.median},
		                                           {"percentile_99", figures.percentile_99},
		                                           {"longest", figures.longest}});
		document["first_byte_seconds"] = row.first_byte;
		document["comparison"] = name(compared(row));
	}
	if (const auto *usual = usual_rate(row.source))
		document["usual"] = json_object({{"title", usual->title},
		                                 {"least_bytes_per_second", usual->least},
		                                 {"most_bytes_per_second", usual->most},
		                                 {"from", usual->from}});
	if (row.error)
		document["error"] = json_object(
		    {{"message", row.error->message}, {"exit_code", static_cast<int>(row.error->code)}});
	return document;
}

void print_text(const std::vector<Measured> &rows, const std::string &hypervisor)
{
	fmt::print("{:<16} {:>9} {:>8} {:>7} {:>7} {:>7} {:>7}  {}\n", "SOURCE", "RATE", "READS", "OF",
	           "MEDIAN", "99 %", "LONGEST", "FOR ITS KIND");
	std::vector<const UsualRate *> kinds;
	for (const auto &[source, read_bytes, figures, first_byte, error] : rows) {
		if (figures.reads == 0) {
			fmt::print("{:<16} {}\n", source.name, error ? error->message : "was not read");
			continue;
		}
		const auto *usual = usual_rate(source);
		if (usual != nullptr && std::ranges::find(kinds, usual) == kinds.end())
			kinds.push_back(usual);
		const auto read = figures.bytes / figures.reads; // less than requested, if reads are short
		fmt::print("{:<16} {:>9} {:>8} {:>7} {:>7} {:>7} {:>7}  {}{}\n", source.name,
		           rate_text(figures.bytes_per_second), figures.reads, fmt::format("{} B", read),
		           duration_text(figures.median), duration_text(figures.percentile_99),
		           duration_text(figures.longest), name(compare(figures.bytes_per_second, usual)),
		           error ? "; then: " + error->message : "");
	}
	if (!kinds.empty())
		fmt::print("\nUsual rates\n");
	for (const auto *usual : kinds)
		fmt::print("  {}: {} to {}\n    {}\n", usual->title, rate_text(usual->least),
		           rate_text(usual->most), usual->from);
	if (!hypervisor.empty())
		fmt::print(
		    "\nThis is a virtual machine: these figures depend on its host, and on what the host "
		    "emulates,\nas much as on the source.\n");
}

/// A source that is absent or not permitted has a row that says so, and is not a failure.
bool withheld(const Error &error)
{
	return error.code == ExitCode::not_permitted || error.code == ExitCode::no_source;
}

ExitCode verdict(const std::vector<Measured> &rows)
{
	if (interrupted() != 0)
		return ExitCode::interrupted;
	const auto some = [&](auto is) { return std::ranges::any_of(rows, is); };
	if (some([](const auto &row) { return row.error && !withheld(*row.error); }))
		return ExitCode::io_error;
	if (some([](const auto &row) { return row.figures.reads > 0; }))
		return ExitCode::done;
	const bool denied = some(
	    [](const auto &row) { return row.error && row.error->code == ExitCode::not_permitted; });
	return denied ? ExitCode::not_permitted : ExitCode::no_source;
}

} // namespace

Result<ExitCode> bench_command(const Context &context, const BenchOptions &options)
{
	const auto inventory = inventory_of(context);
	if (!inventory)
		return std::unexpected(inventory.error());
	const auto rows = measure_all(context, *inventory, options);
	if (!rows)
		return std::unexpected(rows.error());
	const auto hypervisor = hypervisor_of(context.root);
	if (context.json) {
		auto sources = Json::array();
		for (const auto &row : *rows)
			sources.push_back(to_json(row));
		print_json(
		    json_object({{"seconds", options.seconds},
		                 {"hypervisor", hypervisor.empty() ? Json(nullptr) : Json(hypervisor)},
		                 {"sources", sources}}));
	} else {
		print_text(*rows, hypervisor);
	}
	return verdict(*rows);
}

} // namespace hwrngd
