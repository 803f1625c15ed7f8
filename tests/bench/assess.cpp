// SPDX-License-Identifier: GPL-2.0-or-later
// Times the SP 800-90B assessment of a million random bytes, as a whole and for each estimator.
// Also compares the estimators with simple ones, and times the IID track. Prints lines "NAME VALUE
// UNIT".
#include "assess/estimators.h"
#include "assess/iid.h"
#include "assess_reference.h"

#include <sys/random.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>

using namespace hwrngd::assess;
namespace reference = hwrngd::test::reference;

namespace {

struct Times {
	double wall = 0;
	double cpu = 0; // of all threads
};

/// The minimum of some runs, because machines are noisy.
Times measure(int runs, const std::function<void()> &body)
{
	Times least{1e9, 1e9};
	for (int i = 0; i < runs; i++) {
		const auto wall = std::chrono::steady_clock::now();
		const auto cpu = std::clock();
		body();
		least.cpu = std::min(least.cpu, static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC);
		least.wall = std::min(
		    least.wall,
		    std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count());
	}
	return least;
}

void figure(const std::string &name, double value, const char *unit)
{
	std::printf("%s %.6g %s\n", name.c_str(), value, unit);
}

void figures(const std::string &name, const Times &times)
{
	figure(name + "_wall_s", times.wall, "s");
	figure(name + "_cpu_s", times.cpu, "s");
}

std::vector<uint8_t> random_bytes(size_t size)
{
	std::vector<uint8_t> bytes(size);
	for (size_t at = 0; at < size; at += 256)
		if (getentropy(&bytes[at], std::min<size_t>(256, size - at)) != 0)
			std::abort();
	return bytes;
}

template <typename Series> void by_estimator(const std::string &form, const Series &series)
{
	const auto time = [&](const char *name, auto run) {
		Monitor monitor({}, 1);
		figures("assess_" + form + "_" + name, measure(3, [&] {
			        Pace pace(monitor, 1);
			        run(pace);
		        }));
	};
	time("most_common_value", [&](Pace &) { return most_common_value(series); });
	if constexpr (std::is_same_v<Series, Bits>) {
		time("collision", [&](Pace &) { return collision(series); });
		time("markov", [&](Pace &) { return markov(series); });
		time("compression", [&](Pace &pace) { return compression(series, pace); });
	}
	time("t_tuple_and_lrs", [&](Pace &pace) { return repeated_tuples(series, pace); });
	time("multi_mcw", [&](Pace &pace) { return multi_mcw(series, pace); });
	time("lag", [&](Pace &pace) { return lag(series, pace); });
	time("multi_mmc", [&](Pace &pace) { return multi_mmc(series, pace); });
	time("lz78y", [&](Pace &pace) { return lz78y(series, pace); });
}

/// Prints how many times less CPU it takes than the simple estimator, on the same few symbols.
template <typename Plain>
void against_plain(const std::string &name, const Literals &literals, Plain plain,
                   const std::function<void(Pace &)> &ours)
{
	const reference::Symbols symbols(literals.symbols.begin(), literals.symbols.end());
	Monitor monitor({}, 1);
	const auto fast = measure(5, [&] {
		Pace pace(monitor, 1);
		ours(pace);
	});
	const auto slow = measure(1, [&] { (void)plain(symbols); });
	figure("assess_plain_to_" + name, slow.cpu / fast.cpu, "times less CPU than a simple one");
}

} // namespace

int main()
{
	const auto symbols = to_symbols(random_bytes(1'000'000), 8);
	figures("assess_1m_bytes", measure(3, [&] { (void)non_iid(*symbols); }));
	rusage usage{};
	getrusage(RUSAGE_SELF, &usage);
	figure("assess_1m_bytes_peak_mib", static_cast<double>(usage.ru_maxrss) / 1024, "MiB");

	by_estimator("bitstring", Bits(symbols->raw, symbols->bits));
	by_estimator("literal", Literals{symbols->values, symbols->alphabet});

	const auto few = to_symbols(random_bytes(20'000), 8);
	const Literals literals{few->values, few->alphabet};
	against_plain("t_tuple_and_lrs", literals, reference::repeats,
	              [&](Pace &pace) { (void)repeated_tuples(literals, pace); });
	against_plain("multi_mcw", literals, reference::multi_mcw,
	              [&](Pace &pace) { (void)multi_mcw(literals, pace); });
	against_plain("lag", literals, reference::lag, [&](Pace &pace) { (void)lag(literals, pace); });
	against_plain("multi_mmc", literals, reference::multi_mmc,
	              [&](Pace &pace) { (void)multi_mmc(literals, pace); });
	against_plain("lz78y", literals, reference::lz78y,
	              [&](Pace &pace) { (void)lz78y(literals, pace); });

	// With random bytes most statistics are decided after a few permutations. With sorted bytes
	// each needs all 10,000. The compression is left out, because it could not change the verdict.
	const auto iid = [](const char *name, const Symbols &of) {
		figures(name, measure(1, [&] { (void)hwrngd::iid::run_track(of); }));
	};
	iid("assess_iid_1m_random_bytes", *symbols);
	auto sorted = symbols->raw;
	std::ranges::sort(sorted);
	iid("assess_iid_1m_bytes_no_early_stop", *to_symbols(std::move(sorted), 8));
}
