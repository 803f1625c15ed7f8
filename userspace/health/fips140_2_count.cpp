// SPDX-License-Identifier: GPL-2.0-or-later
//
// A block is cut into eight segments. Bit b of byte q of each segment goes to byte q of plane b. So
// neighbouring bits of the stream are at the same place in neighbouring planes: counting runs needs
// no shifts and no carries, and the XOR of planes is the parity of nibbles.
//
// Highway compiles this file once for each target and chooses among them at run time.
#include "health/fips140_2_count.h"

#include <bit>
#include <cstring>

// Vectors of unknown size (SVE) cannot be put into arrays; CPUs with SVE have NEON as well.
#ifdef HWRNGD_FEW_TARGETS // for hwrngctl: 1 GB per second is enough, and a target takes some 20 kB
#define HWY_DISABLED_TARGETS                                                                       \
	(HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_AVX3 | HWY_SSE4 | HWY_SSSE3)
#else
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif
#define HWY_WANT_AVX3_DL    // Ice Lake, Zen 4 and later: an instruction counts the ones of a lane
#define HWY_BROKEN_EMU128 1 // without vectors, one 64-bit lane is faster than two emulated ones
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "health/fips140_2_count.cpp"
#include <hwy/foreach_target.h> // must come before highway.h

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace hwrngd::fips140_2::HWY_NAMESPACE {

namespace {

// NOLINTBEGIN(modernize-avoid-c-arrays): the members of std::array are not compiled for the
// target, so they cannot call a vector's constructor.

namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<uint64_t, 8>;
using Vector = hn::Vec<Lanes>;

constexpr size_t vector_bytes = HWY_MIN(HWY_LANES(uint64_t), 8) * sizeof(uint64_t);
constexpr size_t segments = 8;
constexpr size_t segment_bytes = 320; // whole vectors of up to 64 bytes
constexpr size_t last_begin = (segments - 1) * segment_bytes;
constexpr size_t last_bytes = block_bytes - last_begin; // the rest of the last segment is padding
constexpr size_t padding_bytes = segment_bytes - last_bytes;
static_assert(segment_bytes % vector_bytes == 0 && padding_bytes % 2 == 0);

HWY_INLINE Vector load(const uint8_t *from)
{
#if HWY_TARGET == HWY_SCALAR // here a vector of bytes is a single byte
	uint64_t word = 0;
	std::memcpy(&word, from, sizeof(word));
	return hn::Set(Lanes(), word);
#else
	return hn::BitCast(Lanes(), hn::LoadU(hn::Repartition<uint8_t, Lanes>(), from));
#endif
}

HWY_INLINE void store(Vector vector, uint8_t *to)
{
#if HWY_TARGET == HWY_SCALAR
	const uint64_t word = hn::GetLane(vector);
	std::memcpy(to, &word, sizeof(word));
#else
	const hn::Repartition<uint8_t, Lanes> bytes;
	hn::StoreU(hn::BitCast(bytes, vector), bytes, to);
#endif
}

HWY_INLINE bool is_zero(Vector vector)
{
	return hn::AllTrue(Lanes(), hn::Eq(vector, hn::Zero(Lanes())));
}

// The block is treated as a ring, and padding keeps its two ends apart. The first half of the
// padding is the complement of the block's last bit; the second half, which the first byte follows
// in the ring, is the complement of the first bit. So the padding adds one or two runs, each longer
// than all classes, and shortens no other run.
struct Padding {
	bool after;  ///< complement of the last bit
	bool before; ///< complement of the first bit

	HWY_INLINE explicit Padding(const uint8_t *block)
	    : after((block[block_bytes - 1] & 1U) == 0), before((block[0] & 0x80U) == 0)
	{
	}

	HWY_INLINE void write(uint8_t *to) const
	{
		std::memset(to, after ? 0xff : 0, padding_bytes / 2);
		std::memset(to + padding_bytes / 2, before ? 0xff : 0, padding_bytes / 2);
	}

	HWY_INLINE void take_out_of(Counts &counts) const
	{
		const auto nibbles =
		    static_cast<unsigned>(after ? padding_bytes : 0) + (before ? padding_bytes : 0);
		for (const size_t mask :
		     {1U, 2U, 4U, 7U, 8U, 11U, 13U, 14U}) // masks of an odd number of bits
			counts.odd[mask] = static_cast<uint16_t>(counts.odd[mask] - nibbles);
		for (size_t k = 0; k < run_classes; k++) {
			counts.runs[after ? 1 : 0][k]--;
			if (before != after)
				counts.runs[before ? 1 : 0][k]--;
		}
	}
};

/// The planes of a block, most significant bit first. One more byte follows each plane: it holds
/// the bits that come after each segment. After the last segment the first one comes again.
struct Planes {
	static constexpr size_t stride = segment_bytes + 64;
	alignas(64) std::array<uint8_t, 8 * stride> bytes; // NOLINT: filled by spread()

	[[nodiscard]] HWY_INLINE Vector at(size_t plane, size_t q) const
	{
		return load(bytes.data() + plane * stride + q);
	}
};

/// Exchanges the bits of `b` in `mask` with the bits of `a` that are `shift` places higher.
template <int shift> HWY_INLINE void exchange(Vector &a, Vector &b, uint64_t mask)
{
	const Vector differ = hn::And(hn::Xor(hn::ShiftRight<shift>(a), b), hn::Set(Lanes(), mask));
	b = hn::Xor(b, differ);
	a = hn::Xor(a, hn::ShiftLeft<shift>(differ));
}

/// Transposes blocks of eight by eight bits, in all bytes of eight vectors: bit r of v[b] was bit b
/// of v[r].
HWY_INLINE void transpose(Vector *v)
{
	for (size_t i = 0; i < 4; i++)
		exchange<4>(v[i], v[i + 4], 0x0f0f0f0f0f0f0f0f);
	for (const size_t i : {0U, 1U, 4U, 5U})
		exchange<2>(v[i], v[i + 2], 0x3333333333333333);
	for (const size_t i : {0U, 2U, 4U, 6U})
		exchange<1>(v[i], v[i + 1], 0x5555555555555555);
}

HWY_INLINE void spread(const uint8_t *block, const Padding &padding, Planes &planes)
{
	alignas(64) std::array<uint8_t, segment_bytes> last; // NOLINT: filled here
	std::memcpy(last.data(), block + last_begin, last_bytes);
	padding.write(last.data() + last_bytes);
	for (size_t q = 0; q < segment_bytes; q += vector_bytes) {
		Vector v[8];
		for (size_t i = 0; i < 7; i++)
			v[i] = load(block + i * segment_bytes + q);
		v[7] = load(last.data() + q);
		transpose(v);
		for (size_t i = 0; i < 8; i++)
			store(v[7 - i], planes.bytes.data() + i * Planes::stride + q);
	}
	for (size_t i = 0; i < 8; i++) {
		uint8_t *plane = planes.bytes.data() + i * Planes::stride;
		plane[segment_bytes] = std::rotr(plane[0], 1);
	}
}

/// Adds `sum`, `a` and `b` bit by bit: stores the low bit in `sum` and returns the carry.
HWY_INLINE Vector add_bits(Vector &sum, Vector a, Vector b)
{
	const Vector half = hn::Xor(sum, a);
	const Vector carry = hn::Or(hn::And(sum, a), hn::And(half, b));
	sum = hn::Xor(half, b);
	return carry;
}

/// Counts ones. Without an instruction that counts the ones of a lane, carry-save adders (Harley
/// and Seal) reduce two or eight vectors to one that must be counted.
class Counter {
public:
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
	HWY_INLINE Counter() : count_(hn::Zero(Lanes())) {}

	HWY_INLINE void add_2(Vector a, Vector b)
	{
		count_ = hn::Add(count_, hn::Add(hn::PopulationCount(a), hn::PopulationCount(b)));
	}

	HWY_INLINE void add_8(const Vector *v)
	{
		for (size_t i = 0; i < 8; i += 2)
			add_2(v[i], v[i + 1]);
	}

	/// A vector; the sum of its lanes is the count.
	[[nodiscard]] HWY_INLINE Vector count() const { return count_; }

private:
	Vector count_;
#else
	HWY_INLINE Counter() { ones_ = twos_ = fours_ = pairs_ = octets_ = hn::Zero(Lanes()); }

	HWY_INLINE void add_2(Vector a, Vector b)
	{
		pairs_ = hn::Add(pairs_, hn::PopulationCount(add_bits(ones_, a, b)));
	}

	HWY_INLINE void add_8(const Vector *v)
	{
		const Vector two_a = add_bits(ones_, v[0], v[1]);
		const Vector two_b = add_bits(ones_, v[2], v[3]);
		const Vector four_a = add_bits(twos_, two_a, two_b);
		const Vector two_c = add_bits(ones_, v[4], v[5]);
		const Vector two_d = add_bits(ones_, v[6], v[7]);
		const Vector four_b = add_bits(twos_, two_c, two_d);
		octets_ = hn::Add(octets_, hn::PopulationCount(add_bits(fours_, four_a, four_b)));
	}

	/// A vector; the sum of its lanes is the count.
	[[nodiscard]] HWY_INLINE Vector count() const
	{
		Vector sum = hn::Add(hn::Add(octets_, octets_), hn::PopulationCount(fours_));
		sum = hn::Add(hn::Add(sum, sum), hn::Add(hn::PopulationCount(twos_), pairs_));
		return hn::Add(hn::Add(sum, sum), hn::PopulationCount(ones_));
	}

private:
	Vector ones_;
	Vector twos_;
	Vector fours_;
	Vector pairs_;  ///< ones in the carries of add_2()
	Vector octets_; ///< ones in the carries of add_8()
#endif
};

/// The sums of the lanes of four vectors, each below 65536.
HWY_INLINE std::array<uint16_t, 4> sums(Vector a, Vector b, Vector c, Vector d)
{
	const Vector ab = hn::Or(a, hn::ShiftLeft<16>(b));
	const Vector cd = hn::Or(c, hn::ShiftLeft<16>(d));
	const Vector all = hn::Or(ab, hn::ShiftLeft<32>(cd));
	const uint64_t sum = hn::GetLane(hn::SumOfLanes(Lanes(), all));
	return {static_cast<uint16_t>(sum), static_cast<uint16_t>(sum >> 16U),
	        static_cast<uint16_t>(sum >> 32U), static_cast<uint16_t>(sum >> 48U)};
}

/// The parities of the nibbles in four planes from `first` on, over the bits in `mask`.
template <unsigned mask> HWY_INLINE Vector parity(const Planes &planes, size_t first, size_t q)
{
	const Vector plane = planes.at(first + 3 - std::countr_zero(mask), q);
	if constexpr (std::has_single_bit(mask))
		return plane;
	else
		return hn::Xor(parity<(mask & (mask - 1))>(planes, first, q), plane);
}

template <unsigned mask> HWY_INLINE Vector odd(const Planes &planes)
{
	Counter counter;
	for (size_t q = 0; q < segment_bytes; q += vector_bytes)
		counter.add_2(parity<mask>(planes, 0, q), parity<mask>(planes, 4, q));
	return counter.count();
}

HWY_INLINE void count_odd(const Planes &planes, Counts &counts)
{
	const std::array<std::array<uint16_t, 4>, 4> odds{
	    sums(hn::Zero(Lanes()), odd<1>(planes), odd<2>(planes), odd<3>(planes)),
	    sums(odd<4>(planes), odd<5>(planes), odd<6>(planes), odd<7>(planes)),
	    sums(odd<8>(planes), odd<9>(planes), odd<10>(planes), odd<11>(planes)),
	    sums(odd<12>(planes), odd<13>(planes), odd<14>(planes), odd<15>(planes))};
	std::memcpy(counts.odd.data(), odds.data(), sizeof(counts.odd));
}

/// Laid out like a plane, with a bit for each byte of the block: it is set if fourteen equal bits
/// begin with that byte.
using Candidates = std::array<uint8_t, segment_bytes>;

constexpr Candidates all_of_the_block()
{
	Candidates all{};
	for (size_t q = 0; q < segment_bytes; q++)
		all[q] = q < last_bytes ? 0xff : 0x7f;
	return all;
}

/// Counts runs and finds the candidates. Returns true if there are candidates.
HWY_INLINE bool count_runs(const Planes &planes, Counts &counts, Candidates &candidates)
{
	static constexpr Candidates in_block = all_of_the_block();
	Counter of_both[run_classes]; // runs of either value; [k - 1]: of at least k bits
	Counter of_ones[run_classes]; // runs of ones, of at least 2 bits
	Vector any = hn::Zero(Lanes());
	for (size_t q = 0; q < segment_bytes; q += vector_bytes) {
		Vector bit[14];
		for (size_t i = 0; i < 14; i++)
			bit[i] = planes.at(i % 8, q + i / 8);
		Vector change[13]; // a bit differs from the next one, so a run begins
		Vector changes = hn::Zero(Lanes());
		for (size_t i = 0; i < 13; i++) {
			change[i] = hn::Xor(bit[i], bit[i + 1]);
			changes = hn::Or(changes, change[i]);
		}
		const Vector equal = hn::AndNot(changes, load(in_block.data() + q));
		store(equal, candidates.data() + q);
		any = hn::Or(any, equal);

		Vector run[8];
		for (size_t i = 0; i < 8; i++)
			run[i] = change[i];
		of_both[0].add_8(run);
		for (size_t k = 1; k < run_classes; k++) {
			Vector run_of_ones[8];
			for (size_t i = 0; i < 8; i++) {
				run[i] = hn::AndNot(change[i + k], run[i]);
				run_of_ones[i] = hn::AndNot(bit[i], run[i]);
			}
			of_both[k].add_8(run);
			of_ones[k].add_8(run_of_ones);
		}
	}
	const auto both_1_4 =
	    sums(of_both[0].count(), of_both[1].count(), of_both[2].count(), of_both[3].count());
	const auto rest =
	    sums(of_both[4].count(), of_both[5].count(), of_ones[4].count(), of_ones[5].count());
	const auto ones_2_4 =
	    sums(of_ones[1].count(), of_ones[2].count(), of_ones[3].count(), hn::Zero(Lanes()));
	const std::array<uint16_t, run_classes> both{both_1_4[0], both_1_4[1], both_1_4[2],
	                                             both_1_4[3], rest[0],     rest[1]};
	// In a ring, runs of ones and of zeros alternate, so there are as many of each.
	const auto half = static_cast<uint16_t>(both[0] / 2);
	counts.runs[1] = {half, ones_2_4[0], ones_2_4[1], ones_2_4[2], rest[2], rest[3]};
	for (size_t k = 0; k < run_classes; k++)
		counts.runs[0][k] = static_cast<uint16_t>(both[k] - counts.runs[1][k]);
	return !is_zero(any);
}

/// True if the run whose first whole byte is at `at` is a long run.
HWY_INLINE bool long_run_at(const uint8_t *block, size_t at)
{
	const uint8_t value = block[at];
	size_t length = 0;
	if (at > 0)
		length = static_cast<size_t>(std::countr_zero((block[at - 1] ^ value) | 0x100U));
	for (; length < long_run_bits && at < block_bytes && block[at] == value; at++)
		length += 8;
	if (at < block_bytes)
		length += static_cast<size_t>(std::countl_zero(static_cast<uint8_t>(block[at] ^ value)));
	return length >= long_run_bits;
}

/// A long run contains at least two whole bytes, so the first of them is a candidate.
HWY_INLINE bool has_long_run(const uint8_t *block, const Candidates &candidates)
{
	for (size_t q = 0; q < segment_bytes; q++)
		for (unsigned rest = candidates[q]; rest != 0; rest &= rest - 1)
			if (long_run_at(block, static_cast<size_t>(std::countr_zero(rest)) * segment_bytes + q))
				return true;
	return false;
}

HWY_INLINE bool has_equal_words(const uint8_t *block)
{
	constexpr size_t pairs_bytes = block_bytes - sizeof(uint32_t);
	static_assert(pairs_bytes % vector_bytes == 0);
	const Vector one = hn::Set(Lanes(), 0x0000000100000001);
	Vector borrows = hn::Zero(Lanes()); // the highest bit of each word where `differ` is 0
	for (size_t at = 0; at < pairs_bytes; at += vector_bytes) {
		const Vector differ = hn::Xor(load(block + at), load(block + at + sizeof(uint32_t)));
		borrows = hn::Or(borrows, hn::AndNot(differ, hn::Sub(differ, one)));
	}
	return !is_zero(hn::And(borrows, hn::Set(Lanes(), 0x8000000080000000)));
}

void count(const uint8_t *block, Counts &counts)
{
	const Padding padding(block);
	Planes planes;         // NOLINT: filled by spread()
	Candidates candidates; // NOLINT: filled by count_runs()
	spread(block, padding, planes);
	count_odd(planes, counts);
	const bool any = count_runs(planes, counts, candidates);
	counts.long_run = any && has_long_run(block, candidates);
	counts.equal_words = has_equal_words(block);
	padding.take_out_of(counts);
}

// NOLINTEND(modernize-avoid-c-arrays)

} // namespace

} // namespace hwrngd::fips140_2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hwrngd::fips140_2 {

HWY_EXPORT(count);

Counts count(std::span<const uint8_t, block_bytes> block)
{
	Counts counts;
	HWY_DYNAMIC_DISPATCH(count)(block.data(), counts);
	return counts;
}

#ifndef HWY_COMPILE_ONLY_STATIC
std::vector<CountVariant> count_variants()
{
	std::vector<CountVariant> variants;
	const auto targets = (hwy::SupportedTargets() & HWY_TARGETS) | HWY_STATIC_TARGET;
	for (auto rest = targets; rest != 0; rest &= rest - 1) {
		const auto target = rest & -rest;
		hwy::ChosenTarget chosen;
		chosen.Update(target);
		variants.push_back({hwy::TargetName(target), HWY_DISPATCH_TABLE(count)[chosen.GetIndex()]});
	}
	return variants;
}
#endif

} // namespace hwrngd::fips140_2
#endif
