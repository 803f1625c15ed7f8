// SPDX-License-Identifier: GPL-2.0-or-later
// A second implementation of the slow estimators of SP 800-90B: step by step as in the standard's
// text, with maps and without optimization. Comments say where NIST's tool differs from the text.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace hwrngd::test::reference {

using Symbols = std::vector<uint8_t>;

/// How often a predictor was right, and how often in a row.
struct Hits {
	uint64_t count = 0;
	uint64_t longest = 0;
	uint64_t run = 0;

	void add(bool right)
	{
		run = right ? run + 1 : 0;
		count += right ? 1 : 0;
		longest = std::max(longest, run);
	}
};

/// Takes the prediction of each subpredictor, if any. Judges the winner, then scores all.
class Race {
public:
	explicit Race(size_t predictors) : scores_(predictors) {}

	void judge(const std::vector<std::optional<uint8_t>> &said, uint8_t symbol)
	{
		// If the winner predicts nothing, the text counts that as wrong; in NIST's tool the run
		// continues.
		if (said[winner_])
			hits_.add(said[winner_] == symbol);
		for (size_t i = 0; i < said.size(); i++)
			if (said[i] == symbol && ++scores_[i] >= scores_[winner_])
				winner_ = i;
	}

	[[nodiscard]] Hits hits() const { return hits_; }

private:
	std::vector<uint64_t> scores_;
	size_t winner_ = 0;
	Hits hits_;
};

/// 6.3.7
inline Hits multi_mcw(const Symbols &symbols)
{
	constexpr std::array<size_t, 4> windows{63, 255, 1023, 4095};
	Race race(windows.size());
	for (size_t at = windows[0]; at < symbols.size(); at++) {
		std::vector<std::optional<uint8_t>> said(windows.size());
		for (size_t i = 0; i < windows.size() && windows[i] <= at; i++) {
			std::map<uint8_t, size_t> counts;
			size_t most = 0;
			for (size_t j = at - windows[i]; j < at; j++)
				most = std::max(most, ++counts[symbols[j]]);
			for (size_t j = at; !said[i]; j--)
				if (counts[symbols[j - 1]] == most)
					said[i] = symbols[j - 1];
		}
		race.judge(said, symbols[at]);
	}
	return race.hits();
}

/// 6.3.8
inline Hits lag(const Symbols &symbols)
{
	constexpr size_t lags = 128;
	Race race(lags);
	for (size_t at = 1; at < symbols.size(); at++) {
		std::vector<std::optional<uint8_t>> said(lags);
		for (size_t lag = 1; lag <= std::min(lags, at); lag++)
			said[lag - 1] = symbols[at - lag];
		race.judge(said, symbols[at]);
	}
	return race.hits();
}

using Dictionary = std::map<Symbols, std::map<uint8_t, uint64_t>>;

/// The `length` symbols before `end`.
inline Symbols context(const Symbols &symbols, size_t end, size_t length)
{
	const auto to = symbols.begin() + static_cast<ptrdiff_t>(end);
	return {to - static_cast<ptrdiff_t>(length), to};
}

/// The most frequent symbol (the greatest of several), and its count.
inline std::pair<uint8_t, uint64_t> best(const std::map<uint8_t, uint64_t> &counts)
{
	std::pair<uint8_t, uint64_t> found{0, 0};
	for (const auto &[symbol, count] : counts)
		if (count >= found.second)
			found = {symbol, count};
	return found;
}

/// 6.3.9
inline Hits multi_mmc(const Symbols &symbols)
{
	constexpr size_t depths = 16;
	constexpr size_t most_entries = 100'000;
	std::vector<Dictionary> models(depths);
	std::array<size_t, depths> entries{};
	Race race(depths);
	for (size_t at = 2; at < symbols.size(); at++) {
		for (size_t depth = 1; depth <= depths && depth < at; depth++) {
			auto &model = models[depth - 1];
			const auto before = context(symbols, at - 1, depth);
			const auto found = model.find(before);
			if (found != model.end() && found->second.contains(symbols[at - 1])) {
				found->second[symbols[at - 1]]++;
			} else if (entries[depth - 1] < most_entries) {
				entries[depth - 1]++;
				model[before][symbols[at - 1]] = 1;
			}
		}
		std::vector<std::optional<uint8_t>> said(depths);
		for (size_t depth = 1; depth <= depths && depth <= at; depth++) {
			const auto found = models[depth - 1].find(context(symbols, at, depth));
			if (found != models[depth - 1].end())
				said[depth - 1] = best(found->second).first;
		}
		race.judge(said, symbols[at]);
	}
	return race.hits();
}

/// 6.3.10
inline Hits lz78y(const Symbols &symbols)
{
	constexpr size_t longest = 16;
	constexpr size_t most_contexts = 65536;
	Dictionary dictionary;
	Hits hits;
	for (size_t at = longest + 1; at < symbols.size(); at++) {
		for (size_t length = longest; length > 0; length--) {
			const auto before = context(symbols, at - 1, length);
			if (!dictionary.contains(before) && dictionary.size() < most_contexts)
				dictionary[before] = {};
			if (const auto found = dictionary.find(before); found != dictionary.end())
				found->second[symbols[at - 1]]++;
		}
		std::pair<uint8_t, uint64_t> guess{0, 0};
		for (size_t length = longest; length > 0; length--) {
			const auto found = dictionary.find(context(symbols, at, length));
			if (found == dictionary.end())
				continue;
			if (const auto here = best(found->second); here.second > guess.second)
				guess = here;
		}
		hits.add(guess.second > 0 && guess.first == symbols[at]);
	}
	return hits;
}

/// For each length of tuples, from 1 until none repeats: the count of the most frequent tuple, and
/// the number of pairs of equal tuples.
inline std::vector<std::pair<uint32_t, uint64_t>> repeats(const Symbols &symbols)
{
	std::vector<std::pair<uint32_t, uint64_t>> by_length;
	for (size_t length = 1; length < symbols.size(); length++) {
		std::map<Symbols, uint32_t> counts;
		for (size_t end = length; end <= symbols.size(); end++)
			counts[context(symbols, end, length)]++;
		std::pair<uint32_t, uint64_t> found{0, 0};
		for (const auto &[tuple, count] : counts) {
			found.first = std::max(found.first, count);
			found.second += uint64_t{count} * (count - 1) / 2;
		}
		if (found.first < 2)
			break;
		by_length.push_back(found);
	}
	return by_length;
}

} // namespace hwrngd::test::reference
