// SPDX-License-Identifier: GPL-2.0-or-later
// The binary search that SP 800-90B uses.
#pragma once

namespace hwrngd::assess {

/// Finds the p between `low` and `high` where the falling function f reaches `target`, to the last
/// digit.
template <typename Function>
double search(double low, double high, double target, const Function &f)
{
	for (;;) {
		const double p = (low + high) / 2;
		if (p <= low || p >= high)
			return high;
		(f(p) > target ? low : high) = p;
	}
}

} // namespace hwrngd::assess
