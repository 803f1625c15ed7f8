// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/prediction.h"

#include "assess/estimators.h"
#include "assess/search.h"

#include <cmath>
#include <limits>

namespace hwrngd::assess {

namespace {

/// The logarithm of the probability that n predictions have no run of r right ones, if each is
/// right with the probability p (Feller; SP 800-90B, 6.3.7, step 5). Falls as p rises.
double log_no_run(long double p, long double r, long double n)
{
	const long double q = 1 - p;
	// Finds the root of 1 - x + q p^r x^(r+1) by iteration from below. The standard uses ten steps.
	// NIST's tool iterates until x stops changing, but at most `most_steps` times.
	constexpr int most_steps = 66;
	const long double factor = q * std::pow(p, r);
	long double x = 1;
	long double last = 0;
	for (int i = 0; i < most_steps && x - last > std::numeric_limits<long double>::epsilon() * x;
	     i++) {
		last = x;
		x = 1 + factor * std::pow(x, r + 1);
	}
	return static_cast<double>(std::log(1 - p * x) - std::log((r + 1 - r * x) * q) -
	                           (n + 1) * std::log(x));
}

} // namespace

Estimate prediction_estimate(Estimator estimator, const Hits &hits, uint64_t predictions,
                             unsigned alphabet)
{
	const auto n = static_cast<double>(predictions);
	const uint64_t r = hits.longest + 1;
	const double global = static_cast<double>(hits.count) / n;
	const double bound =
	    hits.count == 0 ? 1 - std::pow(0.01, 1 / n)
	                    : std::fmin(1.0, global + static_cast<double>(z_alpha) *
	                                                  std::sqrt(global * (1 - global) / (n - 1)));
	Estimate estimate{.estimator = estimator,
	                  .figures = {{"c", hits.count},
	                              {"r", r},
	                              {"n", predictions},
	                              {"p_global", global},
	                              {"p_global_bound", bound}}};

	// The local probability matters only if it is the greatest of the three.
	double greatest = std::fmax(bound, 1.0 / alphabet);
	const auto no_run = [&](double p) {
		return log_no_run(p, static_cast<long double>(r), static_cast<long double>(predictions));
	};
	const double confidence = std::log(0.99);
	if (greatest < 1 && no_run(greatest) > confidence) {
		greatest = search(greatest, 1, confidence, no_run);
		estimate.figures.emplace_back("p_local", greatest);
	}
	estimate.min_entropy = std::fabs(std::log2(greatest));
	return estimate;
}

} // namespace hwrngd::assess
