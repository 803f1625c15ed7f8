// SPDX-License-Identifier: GPL-2.0-or-later
// A generator of random bytes that can be made to fail.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <random>
#include <span>

namespace hwrngd::soak {

enum class Fault : uint8_t {
	none,
	// Faults that must be noticed:
	zeros,
	ones,
	biased,   ///< 51 % of the bits are ones
	repeated, ///< the same block over and over
	broken,   ///< reads fail with EIO
	ended,    ///< reads return no bytes
	stalled,
	gone, ///< unplugged
	// Behaviour that is not a fault of the bytes:
	slow, ///< an answer takes a moment
	torn, ///< reads return less than was asked for
};

inline constexpr std::array all_faults{Fault::zeros,  Fault::ones,  Fault::biased,  Fault::repeated,
                                       Fault::broken, Fault::ended, Fault::stalled, Fault::gone,
                                       Fault::slow,   Fault::torn};

[[nodiscard]] const char *name(Fault fault);

class Device {
public:
	explicit Device(uint64_t seed);

	void set(Fault fault);
	[[nodiscard]] Fault fault() const;
	/// Bytes and failed reads since the fault was set.
	[[nodiscard]] uint64_t given() const;
	void note_failure();

	/// Writes the next bytes, with the current fault.
	void fill(std::span<uint8_t> out);

	/// A random number from 1 to `most`.
	[[nodiscard]] size_t some(size_t most);

private:
	mutable std::mutex mutex_; // guards all below
	std::mt19937_64 random_;
	Fault fault_ = Fault::none;
	uint64_t given_ = 0;
	std::array<uint8_t, 512> block_{}; ///< the repeated block
	size_t at_ = 0;                    ///< the offset in `block_`
};

} // namespace hwrngd::soak
