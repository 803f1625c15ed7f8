// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/bzip2_block.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

namespace hwrngd::iid {

namespace {

constexpr size_t group_size = 50;
constexpr unsigned longest_code = 17;

/// Computes the lengths of Huffman codes for symbols of given frequencies. The heap decides between
/// equal weights, so it must work exactly like bzip2's. A node's weight has the node's depth in its
/// lowest 8 bits, and of two equal children the left one moves up.
class Huffman {
public:
	std::vector<unsigned> lengths(std::span<const uint32_t> frequencies)
	{
		size_ = frequencies.size();
		std::vector<unsigned> result(size_);
		for (size_t i = 0; i < size_; i++)
			weight_[i + 1] = std::max(1U, frequencies[i]) << 8U;
		for (;;) {
			build();
			for (size_t i = 0; i < size_; i++) {
				result[i] = 0;
				for (size_t node = i + 1; parent_[node] != 0; node = parent_[node])
					result[i]++;
			}
			if (std::ranges::max(result) <= longest_code)
				return result;
			for (size_t i = 1; i <= size_; i++)
				weight_[i] = (1 + (weight_[i] >> 8U) / 2) << 8U;
		}
	}

private:
	void build()
	{
		parent_.fill(0);
		count_ = 0;
		for (size_t i = 1; i <= size_; i++)
			push(i);
		for (size_t node = size_ + 1; count_ > 1; node++) {
			const size_t one = pop();
			const size_t two = pop();
			parent_[one] = parent_[two] = node;
			weight_[node] = ((weight_[one] & ~0xffU) + (weight_[two] & ~0xffU)) |
			                (1 + std::max(weight_[one] & 0xffU, weight_[two] & 0xffU));
			push(node);
		}
	}

	void push(size_t node)
	{
		size_t at = ++count_;
		for (; at > 1 && weight_[node] < weight_[heap_[at / 2]]; at /= 2)
			heap_[at] = heap_[at / 2];
		heap_[at] = node;
	}

	size_t pop()
	{
		const size_t least = heap_[1];
		const size_t node = heap_[count_--];
		size_t at = 1;
		for (size_t child = 2; child <= count_; child = 2 * at) {
			if (child < count_ && weight_[heap_[child + 1]] < weight_[heap_[child]])
				child++;
			if (weight_[node] < weight_[heap_[child]])
				break;
			heap_[at] = heap_[child];
			at = child;
		}
		heap_[at] = node;
		return least;
	}

	static constexpr size_t most = 16;
	size_t size_ = 0;
	size_t count_ = 0;
	// Indices begin at 1; 0 means no node.
	std::array<size_t, most + 1> heap_{};
	std::array<uint32_t, 2 * most> weight_{};
	std::array<size_t, 2 * most> parent_{};
};

} // namespace

void Bzip2Block::put(unsigned symbol)
{
	if (fill_ == group_size) {
		groups_.emplace_back();
		fill_ = 0;
	}
	groups_.back()[symbol]++;
	fill_++;
}

/// Writes the length of a run of letters that were already in front: as digits 1 and 2 in base 2,
/// lowest digit first.
void Bzip2Block::put_zeros(uint64_t run)
{
	for (; run > 0; run = (run - 1) / 2)
		put(run % 2 == 1 ? 0 : 1);
}

void Bzip2Block::move_to_front(std::span<const uint8_t> column, unsigned letters)
{
	groups_.assign(1, {});
	fill_ = 0;
	// The list of letters, four bits each, with the front letter in the lowest bits.
	constexpr uint64_t ones = 0x1111111111111111U;
	uint64_t list = 0xfedcba9876543210U;
	uint64_t zeros = 0;
	for (const uint8_t letter : column) {
		if ((list & 15U) == letter) {
			zeros++;
			continue;
		}
		put_zeros(zeros);
		zeros = 0;
		// The nibble that equals `letter` becomes zero. It is the lowest nibble that borrows.
		const uint64_t equal = list ^ (ones * letter);
		const auto at =
		    static_cast<unsigned>(std::countr_zero((equal - ones) & ~equal & (ones << 3U)) / 4);
		const uint64_t moved = (uint64_t{16} << (4 * (at % 16))) - 1;
		list = (list & ~moved) | (list << 4U & moved) | letter;
		put(at + 1);
	}
	put_zeros(zeros);
	put(letters + 1);
}

/// The initial code lengths. The symbols are divided among the tables, as evenly as possible; each
/// table has short codes for its own symbols and long codes for the others.
Bzip2Block::Lengths Bzip2Block::first_lengths(unsigned used, unsigned alphabet) const
{
	std::array<uint64_t, symbols> frequencies{};
	for (const auto &group : groups_)
		for (size_t i = 0; i < symbols; i++)
			frequencies[i] += group[i];
	uint64_t left = (groups_.size() - 1) * group_size + fill_;

	Lengths lengths{};
	size_t begin = 0;
	for (unsigned part = used; part > 0; part--) {
		const uint64_t wanted = left / part;
		uint64_t sum = 0;
		size_t end = begin;
		while (sum < wanted && end < alphabet)
			sum += frequencies[end++];
		if (end > begin + 1 && part != used && part != 1 && (used - part) % 2 == 1)
			sum -= frequencies[--end];
		for (size_t i = 0; i < alphabet; i++)
			lengths[i][part - 1] = i >= begin && i < end ? 0 : 15;
		left -= sum;
		begin = end;
	}
	return lengths;
}

/// Selects for each group the table that makes it shortest; of several equal tables the first.
void Bzip2Block::select(const Lengths &lengths, unsigned used)
{
	selectors_.clear();
	for (const auto &group : groups_) {
		std::array<uint16_t, tables> cost{};
		for (size_t i = 0; i < symbols; i++)
			for (size_t table = 0; table < tables; table++)
				cost[table] = static_cast<uint16_t>(cost[table] + group[i] * lengths[i][table]);
		auto *const best = std::min_element(cost.begin(), cost.begin() + used);
		selectors_.push_back(static_cast<uint8_t>(best - cost.begin()));
	}
}

Bzip2Block::Lengths Bzip2Block::better_lengths(unsigned used, unsigned alphabet) const
{
	std::array<std::array<uint32_t, symbols>, tables> frequencies{};
	for (size_t i = 0; i < groups_.size(); i++)
		for (size_t symbol = 0; symbol < symbols; symbol++)
			frequencies[selectors_[i]][symbol] += groups_[i][symbol];
	Lengths lengths{};
	for (unsigned table = 0; table < used; table++) {
		const auto codes = Huffman().lengths(std::span(frequencies[table]).first(alphabet));
		for (size_t i = 0; i < alphabet; i++)
			lengths[i][table] = static_cast<uint16_t>(codes[i]);
	}
	return lengths;
}

/// The size of the selectors in bits. They are moved to front too; position N is written as N ones
/// and a zero.
uint64_t Bzip2Block::bits_of_selectors(unsigned used) const
{
	std::array<uint8_t, tables> list{0, 1, 2, 3, 4, 5, 6, 7};
	uint64_t bits = 0;
	for (const uint8_t selector : selectors_) {
		// Each table in front of the selected one moves back by one.
		uint8_t moving = selector;
		for (unsigned at = 0; at < used; at++) {
			bits++;
			std::swap(moving, list[at]);
			if (moving == selector)
				break;
		}
	}
	return bits;
}

uint64_t Bzip2Block::bits(std::span<const uint8_t> column, unsigned letters)
{
	move_to_front(column, letters);
	const unsigned alphabet = letters + 2;
	const size_t count = (groups_.size() - 1) * group_size + fill_;
	unsigned used = 2;
	for (const size_t limit : {200U, 600U, 1200U, 2400U})
		used += count >= limit ? 1 : 0;

	auto lengths = first_lengths(used, alphabet);
	for (int round = 0; round < 4; round++) {
		select(lengths, used);
		lengths = better_lengths(used, alphabet);
	}

	constexpr uint64_t start =
	    48 + 32 + 1 + 24;               // magic, checksum, flag, place of the first rotation
	constexpr uint64_t counts = 3 + 15; // number of tables, number of selectors
	uint64_t bits = start + counts + bits_of_selectors(used);
	for (unsigned table = 0; table < used; table++) {
		// The first length, then for each symbol the steps to its length (two bits each) and an
		// end bit.
		int last = lengths[0][table];
		bits += 5;
		for (size_t i = 0; i < alphabet; i++) {
			bits += 1 + 2 * static_cast<uint64_t>(std::abs(lengths[i][table] - last));
			last = lengths[i][table];
		}
	}
	for (size_t i = 0; i < groups_.size(); i++)
		for (size_t symbol = 0; symbol < symbols; symbol++)
			bits += static_cast<uint64_t>(groups_[i][symbol]) * lengths[symbol][selectors_[i]];
	return bits;
}

} // namespace hwrngd::iid
