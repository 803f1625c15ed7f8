// SPDX-License-Identifier: GPL-2.0-or-later
// Lag: SP 800-90B, 6.3.8. Subpredictor d says that the symbol d places back comes again.
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
				// There is nothing before the start.
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
	// From each place to where its symbol was before, so that only those lags are visited that are
	// right. Distances beyond `lags` are all the same.
	std::array<size_t, 256> after_last{}; // 0: never
	std::array<uint8_t, lags> distance{}; // of the places before, as a ring
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
