// SPDX-License-Identifier: GPL-2.0-or-later
// The dictionaries of MultiMMC and LZ78Y: which symbols came after which contexts, and how often.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hwrngd::assess {

/// A map from keys below 2^32 - 1 to numbers above 0. Open addressing; keys are never removed.
class NumberMap {
public:
	/// If `direct` is above 0, all keys are below it and need no search. If it is 0, keys may be
	/// any.
	explicit NumberMap(size_t direct) : direct_(direct), slots_(direct > 0 ? 0 : size_t{1} << 12U)
	{
	}

	/// The number of `key`, or nullptr if there is none.
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

	/// The slot that holds `key`, or where `key` must be put.
	[[nodiscard]] size_t place(uint32_t key) const
	{
		const size_t mask = slots_.size() - 1;
		// Fibonacci hashing: the upper bits of the product depend on all bits of the key.
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

/// The contexts of one length, and the symbols that came after them. A context is a node of a tree.
/// Its parent is the context without its first symbol, so a path from the root (the empty context,
/// node 0) goes back in time. Nodes are numbered from 1, and there are fewer than 2^24.
class ContextLevel {
public:
	using Node = uint32_t;
	static constexpr Node none = 0;

	/// `length` is the length of the contexts. For lengths 1 and 2 there are at most 257 parents.
	explicit ContextLevel(size_t length)
	    : children_(length <= 2 ? size_t{257} << 8U : 0),
	      counts_(length == 1 ? size_t{257} << 8U : 0), nodes_(1)
	{
	}

	/// The context that consists of `symbol` and then the context `parent`, a node of the next
	/// shorter level; or `none`.
	[[nodiscard]] Node find(Node parent, uint8_t symbol)
	{
		// In random data most contexts have one child, so the map is rarely needed.
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

	/// The symbol that came most often after the context (the greatest of several), and its count.
	/// The count is 0 for a node that is only on the path to others.
	[[nodiscard]] uint32_t best_count(Node node) const { return nodes_[node].best_count; }
	[[nodiscard]] uint8_t best(Node node) const { return nodes_[node].best; }

	/// Counts another `symbol` after the context. Returns false if there was none before.
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

	/// Counts the first `symbol` after the context.
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
		bool more = false; // there are more children, in children_
	};

	struct Data {
		uint32_t best_count = 0; // count of `best`, whose entry in counts_ is out of date
		uint8_t best = 0;
		bool more = false; // there are more symbols, in counts_
	};

	static uint32_t key(Node node, uint8_t symbol) { return node << 8U | symbol; }

	/// Makes `symbol` the best if its `count` is higher, or equal and `symbol` is greater. Only
	/// then the entry of the former best is updated or created.
	void compare(Node node, uint8_t symbol, uint32_t count)
	{
		Data &data = nodes_[node];
		if (count < data.best_count || (count == data.best_count && symbol < data.best))
			return;
		counts_.set(key(node, data.best), data.best_count);
		data.best = symbol;
		data.best_count = count;
	}

	std::vector<Child> first_children_; // by parent
	NumberMap children_;
	NumberMap counts_;
	std::vector<Data> nodes_;
};

/// Makes levels for contexts of 1, 2, ... `count` symbols.
template <size_t count> std::vector<ContextLevel> make_context_levels()
{
	std::vector<ContextLevel> levels;
	for (size_t length = 1; length <= count; length++)
		levels.emplace_back(length);
	return levels;
}

} // namespace hwrngd::assess
