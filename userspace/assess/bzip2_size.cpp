// SPDX-License-Identifier: GPL-2.0-or-later
#include "assess/bzip2_size.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <new>
#include <utility>

#include <bzlib.h>

namespace hwrngd::iid {

namespace {

constexpr int hundreds_of_kb = 5;
constexpr size_t full_block = hundreds_of_kb * 100'000 - 19; // bytes
constexpr char space = ' ';                                  // sorts before all digits

} // namespace

Bzip2Size::Bzip2Size(const std::array<uint8_t, 256> &raw)
{
	for (size_t sample = 0; sample < raw.size(); sample++)
		words_[sample] = std::to_string(raw[sample]) + space;
	sorted_.assign(words_.begin(), words_.end());
	std::sort(sorted_.begin(), sorted_.end());
	sorted_.erase(std::unique(sorted_.begin(), sorted_.end()), sorted_.end());
	for (size_t sample = 0; sample < raw.size(); sample++)
		ranks_[sample] = static_cast<uint16_t>(
		    std::lower_bound(sorted_.begin(), sorted_.end(), words_[sample]) - sorted_.begin());
}

void Bzip2Size::write(std::span<const uint8_t> samples)
{
	text_.resize(samples.size() * 4);
	char *end = text_.data();
	for (const uint8_t sample : samples) {
		// Always copies four bytes: a word has at most four, and a std::string's buffer has more.
		std::memcpy(end, words_[sample].data(), 4);
		end += words_[sample].size();
	}
	text_.resize(static_cast<size_t>(end - text_.data()) - 1);
}

uint64_t Bzip2Size::by_bzip2(std::span<const uint8_t> samples)
{
	write(samples);
	// Only the size matters, so each full buffer is overwritten.
	bz_stream stream = {};
	std::vector<char> out(size_t{1} << 16U);
	if (BZ2_bzCompressInit(&stream, hundreds_of_kb, 0, 0) != BZ_OK)
		throw std::bad_alloc();
	stream.next_in = text_.data();
	stream.avail_in = static_cast<unsigned>(text_.size());
	int status = BZ_FINISH_OK;
	while (status == BZ_FINISH_OK) {
		stream.next_out = out.data();
		stream.avail_out = static_cast<unsigned>(out.size());
		status = BZ2_bzCompress(&stream, BZ_FINISH);
	}
	BZ2_bzCompressEnd(&stream);
	return static_cast<uint64_t>(stream.total_out_hi32) << 32U | stream.total_out_lo32;
}

uint64_t Bzip2Size::operator()(std::span<const uint8_t> samples)
{
	constexpr uint64_t header = 32;
	constexpr uint64_t trailer = 48 + 32;
	write(samples);
	const std::string_view text = text_;
	uint64_t bits = header + trailer;
	size_t word = 0;   // index of the next sample
	size_t offset = 0; // where its word begins in the text
	for (size_t begin = 0, end = 0; begin < text.size(); begin = end) {
		// bzip2 does not end a block between equal letters. (If a single letter would remain, bzip2
		// adds it to the block. Here such a rest has no space, so by_bzip2() handles it.)
		end = std::min(begin + full_block, text.size());
		while (end < text.size() && text[end] == text[end - 1])
			end++;
		const auto block = text.substr(begin, end - begin);

		// The block is a ring: the text after its last space continues with the text before its
		// first space.
		const size_t last_space = block.rfind(space);
		if (last_space == std::string_view::npos)
			return by_bzip2(samples);
		const size_t tail = last_space + 1;
		const size_t head = tail == block.size() && offset == begin ? 0 : block.find(space) + 1;
		const auto joint = std::string(block.substr(tail)) + std::string(block.substr(0, head));
		while (offset < begin + head)
			offset += words_[samples[word++]].size();
		ring_.clear();
		while (offset < begin + tail) {
			ring_.push_back(ranks_[samples[word]]);
			offset += words_[samples[word++]].size();
		}
		const auto of_block = bits_of_ring(joint);
		if (!of_block)
			return by_bzip2(samples);
		bits += *of_block;
	}
	return (bits + 7) / 8;
}

/// The size in bits of a block of the words in ring_, followed by `joint` if that is not empty.
/// std::nullopt if too much repeats.
std::optional<uint64_t> Bzip2Size::bits_of_ring(const std::string &joint)
{
	auto words = sorted_;
	if (!joint.empty()) {
		const auto place = std::lower_bound(words.begin(), words.end(), joint);
		const auto rank = static_cast<uint16_t>(place - words.begin());
		if (place == words.end() || *place != joint) {
			words.insert(place, joint);
			for (auto &code : ring_)
				code = static_cast<uint16_t>(code + (code >= rank ? 1 : 0));
		}
		ring_.push_back(rank);
	}
	if (!sort_rotations(static_cast<unsigned>(std::bit_width(words.size() - 1))))
		return std::nullopt;
	const unsigned letters = fill_column(words);
	// The map of bytes: 16 bits that tell which ranges of 16 bytes occur, and 16 bits for each such
	// range. The space is in another range than the digits.
	const uint64_t map = letters > 1 ? 16 * 3 : 16 * 2;
	return map + block_.bits(column_, letters);
}

/// Sorts the rotations that begin with a word into rotations_. Returns false if too many begin
/// alike.
bool Bzip2Size::sort_rotations(unsigned code_bits)
{
	const size_t count = ring_.size();
	const unsigned bits = std::max(1U, code_bits);
	const size_t words_a_key = 64 / bits;
	keys_.resize(count);
	uint64_t key = 0;
	for (size_t i = count + words_a_key + 1; i-- > 0;) {
		// The lowest bits may hold a part of one more word: that does not change the order.
		key = key >> bits | static_cast<uint64_t>(ring_[i % count]) << (64 - bits);
		if (i < count)
			keys_[i] = key;
	}

	// Distribute by the top 16 bits first: that leaves little to sort.
	std::vector<uint32_t> ends((size_t{1} << 16U) + 1);
	for (const uint64_t one : keys_)
		ends[(one >> 48U) + 1]++;
	for (size_t i = 1; i < ends.size(); i++)
		ends[i] += ends[i - 1];
	rotations_.resize(count);
	for (size_t i = 0; i < count; i++)
		rotations_[ends[keys_[i] >> 48U]++] = {keys_[i], static_cast<uint32_t>(i)};
	size_t begin = 0;
	for (const uint32_t end : ends) {
		if (end - begin > 1)
			std::sort(rotations_.begin() + static_cast<std::ptrdiff_t>(begin),
			          rotations_.begin() + static_cast<std::ptrdiff_t>(end),
			          [](const Rotation &a, const Rotation &b) { return a.key < b.key; });
		begin = std::max<size_t>(begin, end);
	}

	size_t equal = 0;
	for (begin = 0; begin < count;) {
		size_t end = begin + 1;
		while (end < count && rotations_[end].key == rotations_[begin].key)
			end++;
		if (end - begin > 1) {
			equal += end - begin;
			if (equal > count / 8 ||
			    !sort_equal(std::span(rotations_).subspan(begin, end - begin), words_a_key))
				return false;
		}
		begin = end;
	}
	return true;
}

/// Sorts rotations with equal keys. Returns false if some of them agree in too many further keys.
bool Bzip2Size::sort_equal(std::span<Rotation> rotations, size_t words_a_key)
{
	constexpr size_t depth = 8;
	const auto compare = [&](const Rotation &a, const Rotation &b) {
		for (size_t i = 1; i <= depth; i++) {
			const uint64_t key_a = keys_[(a.word + i * words_a_key) % keys_.size()];
			const uint64_t key_b = keys_[(b.word + i * words_a_key) % keys_.size()];
			if (key_a != key_b)
				return key_a < key_b ? -1 : 1;
		}
		return 0;
	};
	std::sort(rotations.begin(), rotations.end(),
	          [&](const Rotation &a, const Rotation &b) { return compare(a, b) < 0; });
	for (size_t i = 1; i < rotations.size(); i++)
		if (compare(rotations[i - 1], rotations[i]) == 0)
			return false;
	return true;
}

/// Fills column_ with the letter before each rotation, in the order of the rotations. A letter is
/// given as its number among the letters in use. Returns how many letters are in use.
unsigned Bzip2Size::fill_column(const std::vector<std::string> &words)
{
	std::vector<uint32_t> counts(words.size());
	for (const uint16_t code : ring_)
		counts[code]++;

	// A tail is the beginning of a rotation, up to the first space: the end of a word. It has as
	// many rotations as there are words that end with it.
	std::map<std::string_view, uint32_t> tails;
	std::array<uint8_t, 256> letters{};
	for (size_t code = 0; code < words.size(); code++)
		for (size_t i = 0; i < words[code].size() && counts[code] > 0; i++) {
			tails[std::string_view(words[code]).substr(i)] += counts[code];
			letters[static_cast<uint8_t>(words[code][i])] = 1;
		}
	uint8_t used = 0;
	for (auto &letter : letters)
		letter = letter != 0 ? used++ : 0;
	uint32_t size = 0;
	for (auto &[tail, count] : tails)
		size += std::exchange(count, size);

	struct Place {
		uint32_t *next; // place of the tail's next rotation
		uint8_t before;
	};
	std::vector<std::vector<Place>> places(words.size());
	for (size_t code = 0; code < words.size(); code++)
		for (size_t i = 0; i < words[code].size() && counts[code] > 0; i++)
			places[code].push_back(
			    {&tails[std::string_view(words[code]).substr(i)],
			     letters[static_cast<uint8_t>(i > 0 ? words[code][i - 1] : space)]});

	column_.resize(size);
	for (const Rotation &rotation : rotations_) {
		const size_t before = (rotation.word > 0 ? rotation.word : ring_.size()) - 1;
		for (const Place &place : places[ring_[before]])
			column_[(*place.next)++] = place.before;
	}
	return used;
}

} // namespace hwrngd::iid
