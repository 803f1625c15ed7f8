// SPDX-License-Identifier: GPL-2.0-or-later
// LZ78Y: SP 800-90B, 6.3.10. Predicts the symbol that came most often after one of the contexts of
// the last 1 to 16 symbols.
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
	// A bit came after a context at most as often as after the last bit of the context, and that
	// bit is in the dictionary from the start. So the two counts after the last bit decide. A
	// longer context can decide otherwise only if these counts are equal and all occurrences of one
	// of them came after the longer context. (The dictionary is full only after each of the four
	// pairs of bits has occurred, so it holds all contexts of each pair's first occurrence.)
	struct Pair {
		uint64_t count = 0;
		uint64_t context = 0; // the bits before the occurrences ...
		unsigned length = 0;  // ... as many as are the same for all of them
	};
	std::array<std::array<Pair, 2>, 2> pairs{}; // by the last bit and the bit that follows
	Hits hits;
	// The number of bits before this place that are the same before all occurrences of the pair.
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
	size_t contexts = 0; // contexts in the dictionary; other nodes are only on the path to one
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

			// Longest context first: it wins if counts are equal.
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
