// SPDX-License-Identifier: GPL-2.0-or-later
// LZ78Y: SP 800-90B, 6.3.10. Says what came most often after one of the last 1 to 16 symbols'
// contexts.
#include "assess/context_tree.h"
#include "assess/estimators.h"
#include "assess/prediction.h"

#include <array>

namespace hwrngd::assess {

namespace {

constexpr size_t longest_context = 16;
constexpr size_t most_contexts = 65536;

} // namespace

Estimate lz78y(const Bits &bits, Pace &pace)
{
	// Of a context's symbols each came at most as often as after the context's last bit alone,
	// which is in the dictionary from the start. So that bit's two counts decide; a longer context
	// can only say otherwise where they are equal, and where one of them has all of its occurrences
	// after that longer context. (The dictionary is full only after each of the four pairs of bits
	// has occurred, so the contexts of each pair's first occurrence are all in it.)
	struct Pair {
		uint64_t count = 0;
		uint64_t context = 0; // what all occurrences had before them ...
		unsigned length = 0;  // ... as far as they agree
	};
	std::array<std::array<Pair, 2>, 2> pairs{}; // by the last bit and the one that follows
	Hits hits;
	// For how long the pair has always had the context.
	const auto agree = [](const Pair &pair, uint64_t context) {
		return std::min(pair.length,
		                static_cast<unsigned>(std::countr_zero(pair.context ^ context)));
	};
	const auto step = [&](size_t from, size_t to) {
		for (size_t at = from; at < to; at++) {
			const uint64_t context = bits.window_before(at);
			const unsigned bit = bits[at];
			auto &after = pairs[context & 1U];
			if (after[0].count + after[1].count > 0) {
				const bool one = after[0].count != after[1].count
				                     ? after[1].count > after[0].count
				                     : agree(after[1], context) >= agree(after[0], context);
				if (one == (bit == 1))
					hits.hit();
				else
					hits.miss();
			}
			auto &pair = after[bit];
			if (pair.count++ == 0)
				pair = {.count = 1, .context = context, .length = longest_context};
			else if (pair.length > 1)
				pair.length = agree(pair, context);
		}
	};
	if (!pace.run(longest_context, bits.size(), step))
		return {};
	return prediction_estimate(Estimator::lz78y, hits, bits.size() - longest_context - 1, 2);
}

Estimate lz78y(const Literals &literals, Pace &pace)
{
	auto levels = make_context_levels<longest_context>();
	size_t contexts = 0; // nodes that count; the others are on the way to one
	Hits hits;
	const auto step = [&](size_t from, size_t to) {
		for (size_t at = from; at < to; at++) {
			const uint8_t symbol = literals[at];
			std::array<ContextLevel::Node, longest_context> nodes{};
			size_t known = 0;
			auto node = ContextLevel::none; // the empty context
			for (; known < longest_context; known++) {
				node = levels[known].find(node, literals[at - 1 - known]);
				if (node == ContextLevel::none)
					break;
				nodes[known] = node;
			}

			// The longest context stands first where counts are equal.
			uint32_t most = 0;
			uint8_t guess = 0;
			for (size_t i = known; i-- > 0;) {
				const uint32_t count = levels[i].best_count(nodes[i]);
				if (count > most) {
					most = count;
					guess = levels[i].best(nodes[i]);
				}
			}
			if (most > 0 && guess == symbol)
				hits.hit();
			else
				hits.miss();

			if (contexts < most_contexts) {
				for (; known < longest_context; known++) {
					const auto parent = known > 0 ? nodes[known - 1] : ContextLevel::none;
					nodes[known] = levels[known].add(parent, literals[at - 1 - known]);
				}
			}
			for (size_t i = known; i-- > 0;) {
				if (levels[i].best_count(nodes[i]) == 0) {
					if (contexts == most_contexts)
						continue;
					contexts++;
				}
				if (!levels[i].count_again(nodes[i], symbol))
					levels[i].count_first(nodes[i], symbol);
			}
		}
	};
	if (!pace.run(longest_context, literals.size(), step))
		return {};
	return prediction_estimate(Estimator::lz78y, hits, literals.size() - longest_context - 1,
	                           literals.alphabet);
}

} // namespace hwrngd::assess
