// SPDX-License-Identifier: GPL-2.0-or-later
// Generates the inputs of the known answers for SP 800-90B. S is the stream of AesCtr.
#pragma once

#include "aes_ctr.h"
#include "assess/assess.h"

#include <string>

namespace hwrngd::test {

/// The first bytes of the stream.
inline std::vector<uint8_t> stream(size_t size)
{
	std::vector<uint8_t> bytes(size);
	AesCtr().fill(bytes);
	return bytes;
}

/// A million samples, where symbol i is
///	ctr8   S[i]
///	ctr4   S[i] and 15
///	ctr1   S[i] and 1
///	and8   S[2i] and S[2i + 1]
///	walk8  w = (w + (S[i] and 3) - 1) mod 256, with w = 0 before the first
/// The input ctr8_short is the first 10,000 samples of ctr8.
inline std::vector<uint8_t> samples_of(const std::string &input)
{
	size_t size = 1'000'000;
	if (input == "ctr8_short")
		size = 10'000;
	else if (input == "and8")
		size = 2'000'000;
	const auto bytes = stream(size);
	std::vector<uint8_t> samples(bytes);
	if (input == "and8")
		samples.resize(bytes.size() / 2);
	uint8_t walk = 0;
	for (size_t i = 0; i < samples.size(); i++) {
		if (input == "ctr4")
			samples[i] = bytes[i] & 15U;
		else if (input == "ctr1")
			samples[i] = bytes[i] & 1U;
		else if (input == "and8")
			samples[i] = bytes[2 * i] & bytes[2 * i + 1];
		else if (input == "walk8")
			samples[i] = walk = static_cast<uint8_t>(walk + (bytes[i] & 3U) - 1);
	}
	return samples;
}

/// Converts samples to Symbols, with the least width that holds them.
inline assess::Symbols symbols_of(std::vector<uint8_t> raw)
{
	return assess::to_symbols(std::move(raw), std::nullopt).value();
}

} // namespace hwrngd::test
