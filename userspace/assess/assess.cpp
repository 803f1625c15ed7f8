// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/assess.h"

#include "assess/estimators.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <future>
#include <thread>

namespace hwrngd::assess {

namespace {

struct Names {
	std::string_view key;
	std::string_view title;
};

constexpr std::array<Names, all_estimators.size()> names{{
    {"most_common_value", "Most common value"},
    {"collision", "Collision"},
    {"markov", "Markov"},
    {"compression", "Compression"},
    {"t_tuple", "t-Tuple"},
    {"lrs", "LRS"},
    {"multi_mcw", "MultiMCW"},
    {"lag", "Lag"},
    {"multi_mmc", "MultiMMC"},
    {"lz78y", "LZ78Y"},
}};

/// One estimator (or two that share their work) applied to one form. `cost` is its share of the
/// time.
struct Task {
	Form form;
	double cost;
	std::function<std::vector<Estimate>(Pace &)> run;
	std::vector<Estimate> estimates;
};

std::vector<Estimate> as_vector(std::pair<Estimate, Estimate> both)
{
	return {std::move(both.first), std::move(both.second)};
}

/// The costs are nanoseconds per symbol, measured on random data. They only decide the order of the
/// tasks and the reported progress.
template <typename Series> void add_tasks(std::vector<Task> &tasks, Form form, const Series &series)
{
	const auto n = static_cast<double>(series.size());
	constexpr bool bits = std::is_same_v<Series, Bits>;
	const auto add = [&](double cost, auto run) {
		tasks.push_back(
		    {form,
		     cost * n,
		     [&series, run](Pace &pace) -> std::vector<Estimate> { return {run(series, pace)}; },
		     {}});
	};
	add(bits ? 0.03 : 0.3, [](const Series &s, Pace &) { return most_common_value(s); });
	if constexpr (bits) {
		add(1.3, [](const Series &s, Pace &) { return collision(s); });
		add(0.1, [](const Series &s, Pace &) { return markov(s); });
		add(1.3, [](const Series &s, Pace &pace) { return compression(s, pace); });
	}
	tasks.push_back({form,
	                 (bits ? 33 : 28) * n,
	                 [&series](Pace &pace) { return as_vector(repeated_tuples(series, pace)); },
	                 {}});
	add(bits ? 4 : 29, [](const Series &s, Pace &pace) { return multi_mcw(s, pace); });
	add(bits ? 9 : 6, [](const Series &s, Pace &pace) { return lag(s, pace); });
	add(bits ? 25 : 94, [](const Series &s, Pace &pace) { return multi_mmc(s, pace); });
	add(bits ? 8 : 13, [](const Series &s, Pace &pace) { return lz78y(s, pace); });
}

/// Runs the tasks on `options.threads` threads, the most costly first.
void run_all(std::vector<Task> &tasks, const Options &options)
{
	std::vector<Task *> by_cost;
	double all = 0;
	for (auto &task : tasks) {
		by_cost.push_back(&task);
		all += task.cost;
	}
	std::sort(by_cost.begin(), by_cost.end(),
	          [](const Task *a, const Task *b) { return a->cost > b->cost; });

	Monitor monitor(options, all);
	std::atomic<size_t> next = 0;
	const auto work = [&] {
		for (size_t i = next++; i < by_cost.size() && !monitor.stopped(); i = next++) {
			Task &task = *by_cost[i];
			Pace pace(monitor, task.cost);
			task.estimates = task.run(pace);
		}
	};
	const size_t threads =
	    options.threads > 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
	std::vector<std::future<void>> others;
	for (size_t i = 1; i < std::min(threads, tasks.size()); i++)
		others.push_back(std::async(std::launch::async, work));
	work();
	for (auto &other : others)
		other.get();
}

double least(const std::vector<Estimate> &estimates, Form form, double most)
{
	for (const auto &estimate : estimates)
		if (estimate.form == form && estimate.min_entropy)
			most = std::fmin(most, *estimate.min_entropy);
	return most;
}

} // namespace

std::string_view key(Estimator estimator)
{
	return names[static_cast<size_t>(estimator)].key;
}

std::string_view title(Estimator estimator)
{
	return names[static_cast<size_t>(estimator)].title;
}

std::string_view key(Form form)
{
	return form == Form::literal ? "literal" : "bitstring";
}

Result<Symbols> to_symbols(std::vector<uint8_t> raw, std::optional<unsigned> bits)
{
	if (raw.empty())
		return fail(ExitCode::check_failed, "no samples");
	std::array<bool, 256> occurs{};
	for (const uint8_t value : raw)
		occurs[value] = true;
	const auto greatest =
	    std::max_element(raw.begin(), raw.end()); // the first one: the message names it
	const auto width = static_cast<unsigned>(std::bit_width(*greatest));
	if (bits && width > *bits)
		return fail(ExitCode::usage,
		            fmt::format("sample {} is {}, which needs {} bits and does not fit into {}",
		                        greatest - raw.begin(), *greatest, width, *bits));

	Symbols symbols;
	std::array<uint8_t, 256> numbers{};
	for (size_t value = 0; value < occurs.size(); value++)
		if (occurs[value])
			numbers[value] = static_cast<uint8_t>(symbols.alphabet++);
	symbols.bits = bits.value_or(std::max(1U, width));
	symbols.values.reserve(raw.size());
	for (const uint8_t value : raw)
		symbols.values.push_back(numbers[value]);
	symbols.raw = std::move(raw);
	return symbols;
}

Result<Assessment> non_iid(const Symbols &symbols, const Options &options)
{
	if (symbols.alphabet < 2)
		return fail(ExitCode::check_failed,
		            fmt::format("all {} samples are {}: no entropy", symbols.raw.size(),
		                        symbols.raw.empty() ? 0 : symbols.raw.front()));
	const bool binary = symbols.alphabet == 2;
	const size_t fewest = binary ? least_bits : least_symbols;
	if (symbols.values.size() < fewest)
		return fail(ExitCode::check_failed,
		            fmt::format("{} samples are too few: the {} estimate needs {}, and the "
		                        "standard requires {}",
		                        symbols.values.size(), binary ? "compression" : "MultiMCW", fewest,
		                        recommended_samples));
	if (symbols.values.size() > most_bits / symbols.bits)
		return fail(ExitCode::usage,
		            fmt::format("{} samples of {} bits are too many: the limit is {}",
		                        symbols.values.size(), symbols.bits, most_bits / symbols.bits));

	// The bitstring consists of the values as read. With an alphabet of two there is none, because
	// the symbols are bits.
	const Bits bits = binary ? Bits(symbols.values, 1) : Bits(symbols.raw, symbols.bits);
	const Literals literals{symbols.values, symbols.alphabet};
	std::vector<Task> tasks;
	add_tasks(tasks, binary ? Form::literal : Form::bitstring, bits);
	if (!binary)
		add_tasks(tasks, Form::literal, literals);
	run_all(tasks, options);
	if (options.stop.stop_requested())
		return fail(ExitCode::interrupted, "interrupted");

	Assessment assessment{
	    .samples = symbols.values.size(), .bits = symbols.bits, .alphabet = symbols.alphabet};
	for (const auto estimator : all_estimators)
		for (auto &task : tasks)
			for (auto &estimate : task.estimates)
				if (estimate.estimator == estimator) {
					estimate.form = task.form;
					assessment.estimates.push_back(std::move(estimate));
				}
	assessment.h_original = least(assessment.estimates, Form::literal, symbols.bits);
	assessment.min_entropy = assessment.h_original;
	if (!binary) {
		assessment.h_bitstring = least(assessment.estimates, Form::bitstring, 1);
		assessment.min_entropy =
		    std::fmin(assessment.h_original, *assessment.h_bitstring * symbols.bits);
	}
	return assessment;
}

} // namespace hwrngd::assess
