// SPDX-License-Identifier: GPL-2.0-or-later
// What came after which symbols: the dictionaries of MultiMMC and LZ78Y.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hwrngd::assess {

/// A map from keys below 2^32 - 1 to numbers, 0 where there is none. Open addressing; keys stay.
class NumberMap {
public:
	/// All keys are below `direct`, and need no search; or, for 0, they may be any.
	explicit NumberMap(size_t direct) : direct_(direct), slots_(direct > 0 ? 0 : size_t{1} << 12U)
	{
	}

	/// The number of `key` where there is one, or nullptr.
	[[nodiscard]] uint32_t *find(uint32_t key)
	{
		uint32_t &number = direct_.empty() ? slots_[place(key)].number : direct_[key];
		return number > 0 ? &number : nullptr;
	}

	void set(uint32_t key, uint32_t number)
	{
		if (!direct_.empty()) {
			direct_[key] = number;
			return;
		}
		if (used_ * 2 >= slots_.size())
			grow();
		Slot &slot = slots_[place(key)];
		used_ += slot.key == none ? 1 : 0;
		slot = {key, number};
	}

private:
	static constexpr uint32_t none = ~uint32_t{0};

	struct Slot {
		uint32_t key = none;
		uint32_t number = 0;
	};

	/// Where `key` is, or belongs.
	[[nodiscard]] size_t place(uint32_t key) const
	{
		const size_t mask = slots_.size() - 1;
		// Fibonacci hashing: the upper bits of the product depend on all of the key.
		size_t at = (key * 0x9e3779b97f4a7c15U) >> 32U & mask;
		while (slots_[at].key != key && slots_[at].key != none)
			at = (at + 1) & mask;
		return at;
	}

	void grow()
	{
		std::vector<Slot> old(slots_.size() * 2);
		old.swap(slots_);
		for (const auto &slot : old)
			if (slot.key != none)
				slots_[place(slot.key)] = slot;
	}

	std::vector<uint32_t> direct_;
	std::vector<Slot> slots_;
	size_t used_ = 0;
};

/// The contexts of one length, and what came after them. Each is a node below the context that
/// lacks its first symbol: one goes back in time from the empty context, whose node is 0. Nodes are
/// numbered from 1 on, and are fewer than 2^24.
class ContextLevel {
public:
	using Node = uint32_t;
	static constexpr Node none = 0;

	/// `length` of the contexts. There are at most 257 nodes above those of lengths 1 and 2.
	explicit ContextLevel(size_t length)
	    : children_(length <= 2 ? size_t{257} << 8U : 0),
	      counts_(length == 1 ? size_t{257} << 8U : 0), nodes_(1)
	{
	}

	/// The context that has `symbol` before that of `parent`, a node of the level before; or none.
	[[nodiscard]] Node find(Node parent, uint8_t symbol)
	{
		// In random data most contexts have one child, and need no look into the map.
		if (parent >= first_children_.size())
			return none;
		const Child &first = first_children_[parent];
		if (first.symbol == symbol)
			return first.node;
		const uint32_t *found = first.more ? children_.find(key(parent, symbol)) : nullptr;
		return found != nullptr ? *found : none;
	}

	Node add(Node parent, uint8_t symbol)
	{
		const auto added = static_cast<Node>(nodes_.size());
		nodes_.emplace_back();
		if (parent >= first_children_.size())
			first_children_.resize(parent + size_t{1});
		Child &first = first_children_[parent];
		if (first.node == none) {
			first = {.node = added, .symbol = symbol};
		} else {
			first.more = true;
			children_.set(key(parent, symbol), added);
		}
		return added;
	}

	/// The symbol that came most often after the context, the greatest among equals, and how often.
	/// That is 0 for a node that is only on the way to others.
	[[nodiscard]] uint32_t best_count(Node node) const { return nodes_[node].best_count; }
	[[nodiscard]] uint8_t best(Node node) const { return nodes_[node].best; }

	/// Counts that `symbol` came after the context once more. False if it never did before.
	bool count_again(Node node, uint8_t symbol)
	{
		Data &data = nodes_[node];
		if (data.best == symbol && data.best_count > 0) {
			data.best_count++;
			return true;
		}
		uint32_t *count = data.more ? counts_.find(key(node, symbol)) : nullptr;
		if (count == nullptr)
			return false;
		++*count;
		compare(node, symbol, *count);
		return true;
	}

	/// Counts that `symbol` came after the context for the first time.
	void count_first(Node node, uint8_t symbol)
	{
		Data &data = nodes_[node];
		if (data.best_count == 0) {
			data.best = symbol;
			data.best_count = 1;
			return;
		}
		data.more = true;
		counts_.set(key(node, symbol), 1);
		compare(node, symbol, 1);
	}

private:
	struct Child {
		Node node = none;
		uint8_t symbol = 0;
		bool more = false; // children than this, in children_
	};

	struct Data {
		uint32_t best_count = 0; // of `best`; its entry in counts_ is out of date
		uint8_t best = 0;
		bool more = false; // symbols than the best, in counts_
	};

	static uint32_t key(Node node, uint8_t symbol) { return node << 8U | symbol; }

	/// Makes `symbol`, which has been counted, the best if it is. Only then is the best's own
	/// entry in the map brought up to date, or made.
	void compare(Node node, uint8_t symbol, uint32_t count)
	{
		Data &data = nodes_[node];
		if (count < data.best_count || (count == data.best_count && symbol < data.best))
			return;
		counts_.set(key(node, data.best), data.best_count);
		data.best = symbol;
		data.best_count = count;
	}

	std::vector<Child> first_children_; // by the parent
	NumberMap children_;
	NumberMap counts_;
	std::vector<Data> nodes_;
};

/// Levels for contexts of 1, 2, ... symbols.
template <size_t count> std::vector<ContextLevel> make_context_levels()
{
	std::vector<ContextLevel> levels;
	for (size_t length = 1; length <= count; length++)
		levels.emplace_back(length);
	return levels;
}

} // namespace hwrngd::assess
