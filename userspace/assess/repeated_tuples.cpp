// SPDX-License-Identifier: GPL-2.0-or-later
// t-Tuple and longest repeated substring: SP 800-90B, 6.3.5 and 6.3.6.
#include "assess/estimators.h"
#include "assess/repeats.h"

#include <bit>
#include <cmath>

namespace hwrngd::assess {

namespace {

constexpr uint32_t least_count = 35; // t-Tuple ignores tuples that occur less often

/// Adds the upper bound and the entropy for the greatest probability per symbol. It is passed as a
/// logarithm, because tuples may be as long as half the text.
void finish(Estimate &estimate, const char *name, long double log2_p, size_t size)
{
	const long double p = std::exp2(log2_p);
	const long double bound =
	    std::fmin(1.0L, p + z_alpha * std::sqrt(p * (1 - p) / static_cast<long double>(size - 1)));
	estimate.figures.emplace_back(name, static_cast<double>(p));
	estimate.figures.emplace_back("p_u", static_cast<double>(bound));
	estimate.min_entropy = static_cast<double>(std::fabs(std::log2(bound)));
}

std::pair<Estimate, Estimate> by_repeats(const Repeats &repeats, size_t size)
{
	std::pair<Estimate, Estimate> both{{.estimator = Estimator::t_tuple},
	                                   {.estimator = Estimator::lrs}};
	auto &[t_tuple, lrs] = both;
	const size_t longest = repeats.longest();
	size_t u = 1;
	while (u <= longest && repeats.most[u] >= least_count)
		u++;

	const auto n = static_cast<long double>(size);
	constexpr long double minus_infinity = -HUGE_VALL;
	long double best = minus_infinity;
	for (size_t i = 1; i < u; i++) {
		const auto length = static_cast<long double>(i);
		const auto p = static_cast<long double>(repeats.most[i]) / (n - length + 1);
		best = std::fmax(best, std::log2(p) / length);
	}
	if (u > 1) {
		t_tuple.figures = {{"t", uint64_t{u - 1}}};
		finish(t_tuple, "p_hat_max", best, size);
	} else {
		t_tuple.note = fmt::format("no value occurs {} times", least_count);
	}

	best = minus_infinity;
	for (size_t i = u; i <= longest; i++) {
		const auto length = static_cast<long double>(i);
		const auto all = (n - length) * (n - length + 1) / 2;
		best =
		    std::fmax(best, std::log2(static_cast<long double>(repeats.pairs[i]) / all) / length);
	}
	if (u <= longest) {
		lrs.figures = {{"u", uint64_t{u}}, {"v", uint64_t{longest}}};
		finish(lrs, "p_hat", best, size);
	} else {
		lrs.note = fmt::format("at every length that repeats, a tuple occurs at least {} times",
		                       least_count);
	}
	return both;
}

std::pair<Estimate, Estimate> by_text(const Text &text, Pace &pace)
{
	const Repeats repeats = count_repeats(text, [&] { return pace.stopped(); });
	if (pace.stopped())
		return {};
	return by_repeats(repeats, text.size());
}

} // namespace

std::pair<Estimate, Estimate> repeated_tuples(const Bits &bits, Pace &pace)
{
	return by_text({bits, 1}, pace);
}

std::pair<Estimate, Estimate> repeated_tuples(const Literals &literals, Pace &pace)
{
	const auto width = static_cast<unsigned>(std::bit_width(literals.alphabet - 1));
	return by_text({Bits(literals.symbols, width), width}, pace);
}

} // namespace hwrngd::assess
