// SPDX-License-Identifier: GPL-2.0-or-later
#include "device.h"

#include <algorithm>
#include <cstring>

namespace hwrngd::soak {

namespace {

void fill_well(std::mt19937_64 &random, std::span<uint8_t> out)
{
	while (!out.empty()) {
		const auto word = random();
		const auto n = std::min(out.size(), sizeof word);
		std::memcpy(out.data(), &word, n);
		out = out.subspan(n);
	}
}

/// Makes 51 % of the bits ones, without a random number for each bit.
void fill_biased(std::mt19937_64 &random, std::span<uint8_t> out)
{
	fill_well(random, out);
	for (auto &byte : out) {
		// Each step halves a probability: each bit of `more` is 1 in 5 of 256 cases.
		uint64_t word = random();
		unsigned more = 0xff;
		for (const bool all : {true, true, false, true, true, true, true, true}) {
			const auto next = static_cast<unsigned>(word & 0xffU);
			more = all ? more & next : more | next;
			word >>= 8U;
		}
		byte = static_cast<uint8_t>(byte | more);
	}
}

} // namespace

const char *name(Fault fault)
{
	switch (fault) {
	case Fault::none:
		return "none";
	case Fault::zeros:
		return "zeros";
	case Fault::ones:
		return "ones";
	case Fault::biased:
		return "51 % ones";
	case Fault::repeated:
		return "repeated block";
	case Fault::broken:
		return "EIO";
	case Fault::ended:
		return "end";
	case Fault::stalled:
		return "stall";
	case Fault::gone:
		return "unplugged";
	case Fault::slow:
		return "slow";
	case Fault::torn:
		return "short reads";
	}
	return "?";
}

Device::Device(uint64_t seed) : random_(seed)
{
	fill_well(random_, block_);
}

void Device::set(Fault fault)
{
	const std::lock_guard lock(mutex_);
	fault_ = fault;
	given_ = 0;
	fill_well(random_, block_);
}

Fault Device::fault() const
{
	const std::lock_guard lock(mutex_);
	return fault_;
}

uint64_t Device::given() const
{
	const std::lock_guard lock(mutex_);
	return given_;
}

void Device::note_failure()
{
	const std::lock_guard lock(mutex_);
	given_++;
}

void Device::fill(std::span<uint8_t> out)
{
	const std::lock_guard lock(mutex_);
	given_ += out.size();
	switch (fault_) {
	case Fault::zeros:
		std::fill(out.begin(), out.end(), uint8_t{0});
		return;
	case Fault::ones:
		std::fill(out.begin(), out.end(), uint8_t{0xff});
		return;
	case Fault::biased:
		fill_biased(random_, out);
		return;
	case Fault::repeated:
		for (auto &byte : out)
			byte = block_.at(at_++ % block_.size());
		return;
	default:
		fill_well(random_, out);
		return;
	}
}

size_t Device::some(size_t most)
{
	const std::lock_guard lock(mutex_);
	return 1 + (random_() % most);
}

} // namespace hwrngd::soak
