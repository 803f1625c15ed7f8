// SPDX-License-Identifier: GPL-2.0-or-later
// Multi Markov model with counting: SP 800-90B, 6.3.9. Subpredictor d predicts the symbol that came
// most often after the last d symbols.
#include "assess/context_tree.h"
#include "assess/estimators.h"
#include "assess/prediction.h"

#include <array>

namespace hwrngd::assess {

namespace {

constexpr size_t depths = 16;
constexpr uint32_t most_entries = 100'000; // limit of (context, symbol) pairs per depth

/// The predictions of a subpredictor of bits at up to 64 places, with the first place as the most
/// significant bit.
struct Predictions {
	uint64_t predicted = 0; ///< places where it knew the context
	uint64_t right = 0;     ///< places where its prediction was right
};

/// Subpredictor d of bits, for d below 16. The context is the index into a table, so no search is
/// needed. The dictionary has room for all pairs of a context and a bit. The code does not branch
/// on the data.
class ShortBitModel {
public:
	explicit ShortBitModel(unsigned depth)
	    : mask_((uint64_t{1} << depth) - 1), unknown_(size_t{1} << depth), counts_(unknown_)
	{
	}

	/// Predicts and learns the first `places` bits of `next`, which follow the bits of `before`.
	Predictions run(uint64_t before, uint64_t next, size_t places)
	{
		Predictions result;
		const size_t unused = Bits::window_bits - places;
		if (unknown_ > 0) {
			for (size_t place = 0; place < places; place++, next <<= 1U) {
				const uint64_t known = static_cast<uint64_t>(counts_[before & mask_]) & 1U;
				unknown_ -= 1 - known;
				counts_[before & mask_] |= 1;
				result.predicted = result.predicted << 1U | known;
				result.right = result.right << 1U | (known & guess_and_learn(before, next));
			}
			result.predicted <<= unused;
		} else {
			result.predicted = first_bits(places);
			for (size_t place = 0; place < places; place++, next <<= 1U)
				result.right = result.right << 1U | guess_and_learn(before, next);
		}
		result.right <<= unused;
		return result;
	}

private:
	/// Returns 1 if the prediction for the first bit of `next` is right. Appends the bit to
	/// `before`.
	uint64_t guess_and_learn(uint64_t &before, uint64_t next)
	{
		const uint64_t bit = next >> 63U;
		int32_t &count = counts_[before & mask_];
		const uint64_t guess_zero = static_cast<uint32_t>(count) >> 31U;
		count += static_cast<int32_t>(4 * bit) - 2;
		before = before << 1U | bit;
		return guess_zero ^ bit;
	}

	uint64_t mask_;
	size_t unknown_; // number of contexts that have not occurred
	// For each context 2 * (ones - zeros) + 1, counting the bits after it; 0 for an unknown
	// context.
	std::vector<int32_t> counts_;
};

/// Subpredictor 16 of bits. Its dictionary can become full.
class LongBitModel {
public:
	/// Like ShortBitModel::run(). `followed` has the places where the next shorter context was
	/// known; elsewhere this context counts as unknown.
	Predictions run(uint64_t before, uint64_t next, size_t places, uint64_t followed)
	{
		Predictions result;
		for (size_t place = 0; place < places; place++, next <<= 1U, followed <<= 1U) {
			auto &count = counts_[before & (counts_.size() - 1)];
			const uint64_t bit = next >> 63U;
			const auto known = static_cast<uint32_t>(followed >> 63U) &
			                   static_cast<uint32_t>((count[0] | count[1]) != 0);
			const uint32_t guess = count[0] > count[1] ? 0 : 1;
			result.predicted = result.predicted << 1U | known;
			result.right = result.right << 1U | (known & (guess ^ bit ^ 1U));
			const uint32_t seen = known & static_cast<uint32_t>(count[bit] != 0);
			const auto room = static_cast<uint32_t>(entries_ < most_entries);
			count[bit] += seen | room;
			entries_ += room & ~seen;
			before = before << 1U | bit;
		}
		result.predicted <<= Bits::window_bits - places;
		result.right <<= Bits::window_bits - places;
		return result;
	}

private:
	uint32_t entries_ = 0;
	std::vector<std::array<uint32_t, 2>> counts_ =
	    std::vector<std::array<uint32_t, 2>>(size_t{1} << depths);
};

} // namespace

Estimate multi_mmc(const Bits &bits, Pace &pace)
{
	std::vector<ShortBitModel> short_models;
	for (unsigned depth = 1; depth < depths; depth++)
		short_models.emplace_back(depth);
	LongBitModel long_model;
	Race<depths> race;
	Hits hits;
	const auto step = [&](size_t from, size_t to) {
		for (size_t at = from; at < to; at += Bits::window_bits) {
			const size_t places = std::min(Bits::window_bits, to - at);
			std::array<uint64_t, depths> predicted{};
			std::array<uint64_t, depths> right{};
			for (size_t i = 0; i < depths; i++) {
				// At the start there are not enough bits for a long context.
				const size_t first = std::max(at, i + 1);
				if (first >= at + places)
					break;
				const size_t skip = first - at;
				const uint64_t before = bits.window_before(first);
				const uint64_t next = bits.window(first);
				const auto result =
				    i + 1 < depths
				        ? short_models[i].run(before, next, places - skip)
				        : long_model.run(before, next, places - skip, predicted[i - 1] << skip);
				predicted[i] = result.predicted >> skip;
				right[i] = result.right >> skip;
			}
			race.run(right, predicted, places, hits);
		}
	};
	if (!pace.run(0, bits.size(), step))
		return {};
	return prediction_estimate(Estimator::multi_mmc, hits, bits.size() - 2, 2);
}

Estimate multi_mmc(const Literals &literals, Pace &pace)
{
	auto levels = make_context_levels<depths>();
	std::array<uint32_t, depths> entries{};
	Race<depths> race;
	Hits hits;
	const auto step = [&](size_t from, size_t to) {
		for (size_t at = from; at < to; at++) {
			const uint8_t symbol = literals[at];
			const size_t winner = race.winner();
			auto node = ContextLevel::none; // the empty context
			bool known = true;
			for (size_t i = 0; i < std::min(depths, at); i++) {
				const uint8_t before = literals[at - 1 - i];
				auto &level = levels[i];
				// If a context is unknown, all longer contexts count as unknown too.
				const auto found = known ? level.find(node, before) : ContextLevel::none;
				if (found != ContextLevel::none) {
					node = found;
					const bool right = level.best(node) == symbol;
					if (right)
						race.score(i);
					if (i == winner && right)
						hits.hit();
					else if (i == winner)
						hits.miss();
					if (!level.count_again(node, symbol) && entries[i] < most_entries) {
						level.count_first(node, symbol);
						entries[i]++;
					}
					continue;
				}
				const bool has_parent = known || node != ContextLevel::none;
				known = false;
				if (entries[i] == most_entries) {
					node = ContextLevel::none;
					continue;
				}
				// A context whose parent found no room still uses up room, but is never found.
				entries[i]++;
				if (has_parent) {
					node = level.add(node, before);
					level.count_first(node, symbol);
				}
			}
		}
	};
	if (!pace.run(0, literals.size(), step))
		return {};
	return prediction_estimate(Estimator::multi_mmc, hits, literals.size() - 2, literals.alphabet);
}

} // namespace hwrngd::assess
