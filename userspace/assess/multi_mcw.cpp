// SPDX-License-Identifier: GPL-2.0-or-later
// Multi most common in window: SP 800-90B, 6.3.7.
#include "assess/estimators.h"
#include "assess/prediction.h"

#include <array>

namespace hwrngd::assess {

namespace {

constexpr std::array<size_t, 4> windows{63, 255, 1023, 4095};

/// The most common of the last `size` symbols; of several, the one that occurred last.
class Window {
public:
	Window(const Literals &literals, size_t size)
	    : literals_(literals), size_(size), with_count_(size + 3)
	{
		with_count_[0] = static_cast<uint16_t>(literals.alphabet);
	}

	[[nodiscard]] uint8_t most_common() const { return most_common_; }

	/// Adds the next symbol, at `at`, and removes the symbol that leaves the window.
	void add(size_t at)
	{
		const uint8_t in = literals_[at];
		last_[in] = at;
		change(in, 1);
		if (at >= size_) {
			const uint8_t out = literals_[at - size_];
			change(out, -1);
			if (out == most_common_ && out != in) {
				// Other symbols may now have the same count or a higher one (`in` by up to 2).
				const size_t count = counts_[out];
				if (with_count_[count] > 1 || with_count_[count + 1] > 0 ||
				    with_count_[count + 2] > 0)
					find();
				return;
			}
		}
		if (counts_[in] >= counts_[most_common_])
			most_common_ = in;
	}

private:
	void change(uint8_t symbol, int by)
	{
		with_count_[counts_[symbol]]--;
		counts_[symbol] = static_cast<uint16_t>(counts_[symbol] + by);
		with_count_[counts_[symbol]]++;
	}

	void find()
	{
		for (unsigned symbol = 0; symbol < literals_.alphabet; symbol++)
			if (counts_[symbol] > counts_[most_common_] ||
			    (counts_[symbol] == counts_[most_common_] && last_[symbol] > last_[most_common_]))
				most_common_ = static_cast<uint8_t>(symbol);
	}

	const Literals &literals_;
	size_t size_;
	std::array<uint16_t, 256> counts_{};
	std::array<size_t, 256> last_{};
	std::vector<uint16_t> with_count_; // number of symbols, by their count
	uint8_t most_common_ = 0;
};

} // namespace

Estimate multi_mcw(const Bits &bits, Pace &pace)
{
	// Windows have odd sizes, so one of the two symbols always has the majority.
	std::array<size_t, windows.size()> ones{};
	Race<windows.size()> race;
	Hits hits;
	const auto step = [&](size_t from, size_t to) {
		for (size_t at = from; at < to; at += Bits::window_bits) {
			const size_t places = std::min(Bits::window_bits, to - at);
			const uint64_t in = bits.window(at);
			std::array<uint64_t, windows.size()> right{};
			std::array<uint64_t, windows.size()> predicted{};
			for (size_t i = 0; i < windows.size(); i++) {
				const size_t size = windows[i];
				const size_t end = at + Bits::window_bits; // end of this block
				const uint64_t out = bits.window_before(end - std::min(size, end));
				uint64_t majority = 0;
				for (size_t place = 0; place < Bits::window_bits; place++) {
					const size_t shift = 63 - place;
					majority = majority << 1U | static_cast<uint64_t>(ones[i] > size / 2);
					ones[i] += (in >> shift & 1U) - (out >> shift & 1U);
				}
				predicted[i] = ~first_bits(std::clamp(size, at, end) - at);
				right[i] = ~(majority ^ in) & predicted[i] & first_bits(places);
			}
			race.run(right, predicted, places, hits);
		}
	};
	if (!pace.run(0, bits.size(), step))
		return {};
	return prediction_estimate(Estimator::multi_mcw, hits, bits.size() - windows[0], 2);
}

Estimate multi_mcw(const Literals &literals, Pace &pace)
{
	std::vector<Window> all;
	all.reserve(windows.size());
	for (const size_t size : windows)
		all.emplace_back(literals, size);
	Race<windows.size()> race;
	Hits hits;
	const auto step = [&](size_t from, size_t to) {
		for (size_t at = from; at < to; at++) {
			const uint8_t symbol = literals[at];
			if (at >= windows[0]) {
				if (all[race.winner()].most_common() == symbol)
					hits.hit();
				else
					hits.miss();
			}
			for (size_t i = 0; i < windows.size(); i++)
				if (at >= windows[i] && all[i].most_common() == symbol)
					race.score(i);
			for (auto &window : all)
				window.add(at);
		}
	};
	if (!pace.run(0, literals.size(), step))
		return {};
	return prediction_estimate(Estimator::multi_mcw, hits, literals.size() - windows[0],
	                           literals.alphabet);
}

} // namespace hwrngd::assess
