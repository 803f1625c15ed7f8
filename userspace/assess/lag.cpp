// SPDX-License-Identifier: GPL-2.0-or-later
// Lag: SP 800-90B, 6.3.8. Subpredictor d predicts the symbol that stood d places before.
#include "assess/estimators.h"
#include "assess/prediction.h"

#include <array>

namespace hwrngd::assess {

namespace {

constexpr size_t lags = 128;

} // namespace

Estimate lag(const Bits &bits, Pace &pace)
{
	Race<lags> race;
	Hits hits;
	std::array<uint64_t, lags> predicted;
	predicted.fill(~uint64_t{0});
	const auto step = [&](size_t from, size_t to) {
		for (size_t at = from; at < to; at += Bits::window_bits) {
			const size_t places = std::min(Bits::window_bits, to - at);
			const uint64_t now = bits.window(at);
			std::array<uint64_t, lags> right;
			for (size_t i = 0; i < lags; i++) {
				const size_t lag = i + 1;
				const size_t end = at + Bits::window_bits;
				const uint64_t then = bits.window_before(end - std::min(lag, end));
				// Places before the start predict nothing.
				const uint64_t there = ~first_bits(std::clamp(lag, at, end) - at);
				right[i] = ~(now ^ then) & there & first_bits(places);
			}
			race.run(right, predicted, places, hits);
		}
	};
	if (!pace.run(0, bits.size(), step))
		return {};
	return prediction_estimate(Estimator::lag, hits, bits.size() - 1, 2);
}

Estimate lag(const Literals &literals, Pace &pace)
{
	// `distance` links each place to the place before it with the same symbol, so that only the
	// lags that are right are visited. Distances beyond `lags` all count as the same.
	std::array<size_t, 256> after_last{}; // place after a symbol's last occurrence; 0: none
	std::array<uint8_t, lags> distance{}; // a ring, for the last `lags` places
	Race<lags> race;
	Hits hits;
	const auto step = [&](size_t from, size_t to) {
		for (size_t at = from; at < to; at++) {
			const uint8_t symbol = literals[at];
			if (at > 0) {
				if (literals[at - 1 - race.winner()] == symbol)
					hits.hit();
				else
					hits.miss();
			}
			const size_t back = at + 1 - after_last[symbol];
			distance[at % lags] =
			    static_cast<uint8_t>(after_last[symbol] > 0 ? std::min(back, lags + 1) : lags + 1);
			after_last[symbol] = at + 1;
			for (size_t lag = distance[at % lags]; lag <= lags;) {
				race.score(lag - 1);
				lag += distance[(at - lag) % lags];
			}
		}
	};
	if (!pace.run(0, literals.size(), step))
		return {};
	return prediction_estimate(Estimator::lag, hits, literals.size() - 1, literals.alphabet);
}

} // namespace hwrngd::assess
