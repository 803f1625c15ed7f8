// SPDX-License-Identifier: GPL-2.0-or-later
// xoshiro256** 1.0 of Blackman and Vigna: fast random numbers for permutations and simulations.
// They are predictable: never use them for secrets.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <utility>

namespace hwrngd {

class Xoshiro256 {
public:
	/// Each (seed, stream) gives a different generator. SplitMix64 fills the state, as the authors
	/// recommend.
	explicit Xoshiro256(uint64_t seed, uint64_t stream = 0)
	{
		uint64_t state = mix(seed) ^ stream;
		for (auto &word : state_)
			word = mix(state += 0x9e3779b97f4a7c15U);
	}

	/// The next 64 bits.
	uint64_t operator()()
	{
		const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
		const uint64_t shifted = state_[1] << 17U;
		state_[2] ^= state_[0];
		state_[3] ^= state_[1];
		state_[1] ^= state_[2];
		state_[0] ^= state_[3];
		state_[2] ^= shifted;
		state_[3] = std::rotl(state_[3], 45);
		return result;
	}

	/// Uniform in [0, 1).
	double unit() { return static_cast<double>((*this)() >> 11U) * 0x1p-53; }

private:
	static uint64_t mix(uint64_t z)
	{
		z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
		z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
		return z ^ (z >> 31U);
	}

	std::array<uint64_t, 4> state_{};
};

/// Brings the items (fewer than 2^32) into a random order; all orders are equally likely (Fisher
/// and Yates).
inline void shuffle(std::span<uint8_t> items, Xoshiro256 &random)
{
	uint64_t spare = 0;
	bool has_spare = false;
	const auto next_32 = [&] {
		has_spare = !has_spare;
		if (has_spare)
			spare = random();
		else
			spare >>= 32U;
		return spare & UINT32_MAX;
	};
	for (size_t left = items.size(); left > 1; left--) {
		// Lemire's method for a number below `left`: rejects the rare products that would favour
		// some numbers.
		uint64_t product = next_32() * left;
		if ((product & UINT32_MAX) < left) {
			const uint64_t uneven = (uint64_t{1} << 32U) % left;
			while ((product & UINT32_MAX) < uneven)
				product = next_32() * left;
		}
		std::swap(items[left - 1], items[product >> 32U]);
	}
}

} // namespace hwrngd
