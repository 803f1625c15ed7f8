// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/repeats.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <new>

#include <divsufsort.h>

namespace hwrngd::assess {

namespace {

constexpr unsigned window_bits = Bits::window_bits;

struct Suffix {
	uint64_t key; // 64 bits of the suffix
	int32_t at;
};

/// Sorts suffixes by their bits, 64 at a time.
class WindowSort {
public:
	WindowSort(const Text &text, const Stopped &stopped)
	    : text_(text), stopped_(stopped), order_(text.size())
	{
	}

	/// Returns false if it gave up or was stopped.
	bool run()
	{
		// One pass distributes the suffixes to buckets by their first bits, so that each bucket
		// fits into a cache.
		std::vector<size_t> ends((size_t{1} << first_bits_) + 1);
		for (size_t at = 0; at < order_.size(); at++)
			ends[prefix(at) + 1]++;
		// The largest bucket decides memory and time. In random data few suffixes begin alike.
		const size_t most = std::max<size_t>(order_.size() / 8, 4096);
		if (*std::max_element(ends.begin(), ends.end()) > most)
			return false;
		for (size_t i = 1; i < ends.size(); i++)
			ends[i] += ends[i - 1];
		std::vector<size_t> next(ends.begin(), ends.end() - 1);
		for (size_t at = 0; at < order_.size(); at++)
			order_[next[prefix(at)]++] = static_cast<int32_t>(at);

		work_left_ = 4 * order_.size();
		for (size_t i = 0; i + 1 < ends.size(); i++) {
			if (stopped_ && stopped_())
				return false;
			open_.push_back({ends[i], ends[i + 1], first_bits_});
			while (!open_.empty())
				if (!sort_next())
					return false;
		}
		return true;
	}

	std::vector<int32_t> take() { return std::move(order_); }

private:
	static constexpr size_t first_bits_ = 10;

	/// Suffixes that agree in their first `skip` bits.
	struct Range {
		size_t begin;
		size_t end;
		size_t skip;
	};

	[[nodiscard]] size_t prefix(size_t at) const
	{
		return text_.bits.window(at * text_.width) >> (window_bits - first_bits_);
	}

	bool sort_next()
	{
		const Range range = open_.back();
		open_.pop_back();
		const size_t size = range.end - range.begin;
		if (size < 2)
			return true;
		if (size > work_left_)
			return false;
		work_left_ -= size;

		keyed_.clear();
		for (size_t i = range.begin; i < range.end; i++) {
			const auto at = static_cast<size_t>(order_[i]) * text_.width + range.skip;
			keyed_.push_back({at < text_.bits.size() ? text_.bits.window(at) : 0, order_[i]});
		}
		sort_keyed();
		for (size_t i = 0; i < size; i++)
			order_[range.begin + i] = keyed_[i].at;
		// Suffixes that are still equal must be compared by further bits.
		for (size_t from = 0, to = 1; to <= size; to++) {
			if (to < size && keyed_[to].key == keyed_[from].key)
				continue;
			if (to - from > 1)
				finish_short({range.begin + from, range.begin + to, range.skip + window_bits});
			from = to;
		}
		return true;
	}

	/// Moves suffixes that have ended before the longer ones, the shortest first.
	void finish_short(Range range)
	{
		const auto begin = order_.begin() + static_cast<ptrdiff_t>(range.begin);
		const auto end = order_.begin() + static_cast<ptrdiff_t>(range.end);
		const auto longer = std::partition(begin, end, [&](int32_t at) {
			return text_.bits.size() - static_cast<size_t>(at) * text_.width <= range.skip;
		});
		std::sort(begin, longer, std::greater<>());
		range.begin = static_cast<size_t>(longer - order_.begin());
		open_.push_back(range);
	}

	void sort_keyed()
	{
		// If there are many suffixes, distribute them by 10 bits into short pieces first.
		constexpr unsigned bits = 10;
		constexpr size_t few = size_t{1} << (bits - 1U);
		const auto by_key = [](const Suffix &a, const Suffix &b) { return a.key < b.key; };
		if (keyed_.size() < few) {
			std::sort(keyed_.begin(), keyed_.end(), by_key);
			return;
		}
		std::array<size_t, (size_t{1} << bits) + 1> ends{};
		for (const auto &suffix : keyed_)
			ends[(suffix.key >> (window_bits - bits)) + 1]++;
		for (size_t i = 1; i < ends.size(); i++)
			ends[i] += ends[i - 1];
		auto next = ends;
		sorted_.resize(keyed_.size());
		for (const auto &suffix : keyed_)
			sorted_[next[suffix.key >> (window_bits - bits)]++] = suffix;
		for (size_t i = 0; i + 1 < ends.size(); i++)
			std::sort(sorted_.begin() + static_cast<ptrdiff_t>(ends[i]),
			          sorted_.begin() + static_cast<ptrdiff_t>(ends[i + 1]), by_key);
		keyed_.swap(sorted_);
	}

	const Text &text_;
	const Stopped &stopped_;
	std::vector<int32_t> order_;
	std::vector<Range> open_;
	std::vector<Suffix> keyed_;
	std::vector<Suffix> sorted_;
	size_t work_left_ = 0;
};

/// Is given the length of the common prefix of each two neighbours in the suffix order. Suffixes
/// with a common prefix form an interval of that order; the class counts the suffixes of each
/// interval. Each interval is closed only once, so long repeats cost no more than short ones.
class IntervalCounter {
public:
	void add(uint32_t common)
	{
		size_t begin = at_;
		while (open_.back().common > common) {
			const Interval closed = open_.back();
			open_.pop_back();
			begin = closed.begin;
			close(closed, std::max(open_.back().common, common));
		}
		if (open_.back().common < common)
			open_.push_back({common, begin});
		at_++;
	}

	Repeats result()
	{
		add(0);
		// A longer tuple that repeats contains shorter ones that repeat.
		for (size_t length = repeats_.most.size() - 1; length > 0; length--) {
			repeats_.most[length - 1] = std::max(repeats_.most[length - 1], repeats_.most[length]);
			repeats_.pairs[length - 1] += repeats_.pairs[length];
		}
		return std::move(repeats_);
	}

private:
	struct Interval {
		uint32_t common;
		size_t begin;
	};

	/// Counts an interval of suffixes that share `closed.common` symbols. The interval around it
	/// shares `outer` symbols.
	void close(const Interval &closed, uint32_t outer)
	{
		if (repeats_.most.size() <= closed.common) {
			repeats_.most.resize(closed.common + size_t{1});
			repeats_.pairs.resize(closed.common + size_t{1});
		}
		const uint64_t count = at_ - closed.begin + 1;
		const uint64_t pairs = count * (count - 1) / 2;
		auto &most = repeats_.most[closed.common];
		most = std::max(most, static_cast<uint32_t>(count));
		// Counts for all lengths from outer + 1 to common, once result() has added up. The
		// subtraction may wrap around; the sum wraps back.
		repeats_.pairs[closed.common] += pairs;
		repeats_.pairs[outer] -= pairs;
	}

	size_t at_ = 0; // the next neighbours are at_ and at_ + 1
	std::vector<Interval> open_{{0, 0}};
	Repeats repeats_;
};

/// Compares two suffixes, and returns the number of symbols that they have in common.
uint32_t compare(const Text &text, size_t a, size_t b)
{
	const size_t end = text.bits.size() - std::max(a, b) * text.width;
	size_t equal = 0;
	while (equal < end) {
		const uint64_t differ =
		    text.bits.window(a * text.width + equal) ^ text.bits.window(b * text.width + equal);
		if (differ != 0) {
			equal += static_cast<size_t>(std::countl_zero(differ));
			break;
		}
		equal += window_bits;
	}
	return static_cast<uint32_t>(std::min(equal, end) / text.width);
}

/// Computes how many symbols each suffix has in common with the suffix before it in `order`. Goes
/// through the suffixes in the order of the text, because from one place to the next the number
/// falls by at most one (Kärkkäinen, Manzini, Puglisi).
std::vector<int32_t> common_by_place(const Text &text, const std::vector<int32_t> &order)
{
	std::vector<int32_t> common(order.size());
	for (size_t i = 1; i < order.size(); i++)
		common[static_cast<size_t>(order[i])] = order[i - 1];
	common[static_cast<size_t>(order[0])] = -1;

	size_t equal = 0;
	for (size_t at = 0; at < common.size(); at++) {
		if (common[at] < 0) {
			common[at] = 0;
			equal = 0;
			continue;
		}
		const auto before = static_cast<size_t>(common[at]);
		equal += compare(text, at + equal, before + equal);
		common[at] = static_cast<int32_t>(equal);
		equal -= equal > 0 ? 1 : 0;
	}
	return common;
}

} // namespace

std::vector<int32_t> order_suffixes_by_windows(const Text &text, const Stopped &stopped)
{
	WindowSort sort(text, stopped);
	return sort.run() ? sort.take() : std::vector<int32_t>{};
}

std::vector<int32_t> order_suffixes(const Text &text)
{
	std::vector<uint8_t> symbols(text.size());
	for (size_t at = 0; at < symbols.size(); at++)
		symbols[at] =
		    static_cast<uint8_t>(text.bits.window(at * text.width) >> (window_bits - text.width));
	std::vector<int32_t> order(symbols.size());
	// It fails only for invalid arguments, or without memory.
	if (divsufsort(symbols.data(), order.data(), static_cast<int32_t>(symbols.size())) != 0)
		throw std::bad_alloc();
	return order;
}

Repeats count_repeats(const Text &text, const Stopped &stopped)
{
	IntervalCounter counter;
	if (const auto order = order_suffixes_by_windows(text, stopped); !order.empty()) {
		constexpr size_t ahead = 16; // prefetch: neighbours in the order are far apart in the text
		for (size_t i = 1; i < order.size(); i++) {
			if (i + ahead < order.size())
				text.bits.prefetch(static_cast<size_t>(order[i + ahead]) * text.width);
			counter.add(
			    compare(text, static_cast<size_t>(order[i - 1]), static_cast<size_t>(order[i])));
		}
		return counter.result();
	}
	if (stopped && stopped())
		return {};
	const auto order = order_suffixes(text);
	const auto common = common_by_place(text, order);
	for (size_t i = 1; i < order.size(); i++)
		counter.add(static_cast<uint32_t>(common[static_cast<size_t>(order[i])]));
	return counter.result();
}

} // namespace hwrngd::assess
