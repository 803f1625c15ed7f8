// SPDX-License-Identifier: GPL-2.0-or-later
// The common part of the four predictors of SP 800-90B (6.3.7 to 6.3.10). Their subpredictors
// compete, and the estimate follows from how often the winner was right, in total and in a row.
#pragma once

#include "assess/assess.h"
#include "assess/bits.h"

#include <algorithm>
#include <array>
#include <bit>

namespace hwrngd::assess {

/// Counts right predictions.
struct Hits {
	uint64_t count = 0;
	uint64_t run = 0;     ///< length of the current run
	uint64_t longest = 0; ///< length of the longest run

	void hit()
	{
		count++;
		longest = std::max(longest, ++run);
	}
	void miss() { run = 0; }

	/// Adds 64 predictions, with the first as the most significant bit.
	void add(uint64_t right)
	{
		count += static_cast<uint64_t>(std::popcount(right));
		if (right == ~uint64_t{0}) {
			run += Bits::window_bits;
			longest = std::max(longest, run);
			return;
		}
		uint64_t within = 0; // each step of the loop shortens every run of ones by one
		for (uint64_t rest = right; rest != 0; rest &= rest << 1U)
			within++;
		longest = std::max({longest, within, run + static_cast<uint64_t>(std::countl_one(right))});
		run = static_cast<uint64_t>(std::countr_one(right));
	}
};

/// Picks, at each place, the subpredictor that was right most often so far; of several, the one
/// that reached the score last.
template <size_t count> class Race {
public:
	/// For use place by place. First call winner() for the prediction.
	[[nodiscard]] size_t winner() const { return winner_; }

	/// Then call score() for each subpredictor that was right, in ascending order.
	void score(size_t predictor)
	{
		if (++scores_[predictor] >= scores_[winner_])
			winner_ = predictor;
	}

	/// Processes up to 64 places at once: the first `places` of them. `right` has, for each
	/// subpredictor, the places where it was right, and `predicted` the places where it predicted
	/// anything, with the first place as the most significant bit. If the winner predicts nothing
	/// at a place, its run continues.
	void run(const std::array<uint64_t, count> &right, const std::array<uint64_t, count> &predicted,
	         size_t places, Hits &hits)
	{
		// Only a subpredictor that can reach the winner's score within this block can win.
		std::array<size_t, count> contenders;
		size_t contending = 0;
		for (size_t i = 0; i < count; i++) {
			const auto gain = static_cast<uint64_t>(std::popcount(right[i]));
			if (i == winner_ || scores_[i] + gain >= scores_[winner_])
				contenders[contending++] = i;
			else
				scores_[i] += gain;
		}
		if (contending == 1 && predicted[winner_] == ~uint64_t{0} && places == Bits::window_bits) {
			hits.add(right[winner_]);
			scores_[winner_] += static_cast<uint64_t>(std::popcount(right[winner_]));
			return;
		}
		for (size_t place = 0; place < places; place++) {
			const uint64_t bit = uint64_t{1} << (63 - place);
			if ((right[winner_] & bit) != 0)
				hits.hit();
			else if ((predicted[winner_] & bit) != 0)
				hits.miss();
			for (size_t i = 0; i < contending; i++)
				if ((right[contenders[i]] & bit) != 0)
					score(contenders[i]);
		}
	}

private:
	std::array<uint64_t, count> scores_{};
	size_t winner_ = 0;
};

/// The estimate of a predictor (6.3.7, steps 4 to 6) that made `predictions` predictions, for an
/// alphabet of `alphabet` symbols.
[[nodiscard]] Estimate prediction_estimate(Estimator estimator, const Hits &hits,
                                           uint64_t predictions, unsigned alphabet);

} // namespace hwrngd::assess
