// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/bzip2_size.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <bzlib.h>

namespace hwrngd::iid {

uint64_t compressed_size(std::span<const uint8_t> samples, const std::array<uint8_t, 256> &raw)
{
	std::array<std::string, 256> words;
	for (size_t value = 0; value < words.size(); value++)
		words[value] = std::to_string(raw[value]) + ' ';
	std::string text;
	text.reserve(samples.size() * 4);
	for (const uint8_t sample : samples)
		text += words[sample];
	text.pop_back();

	// The size is wanted, not the bytes: each full buffer is overwritten.
	bz_stream stream = {};
	std::vector<char> out(size_t{1} << 16U);
	constexpr int block_of_100_kb = 5;
	if (BZ2_bzCompressInit(&stream, block_of_100_kb, 0, 0) != BZ_OK)
		throw std::bad_alloc();
	stream.next_in = text.data();
	stream.avail_in = static_cast<unsigned>(text.size());
	int status = BZ_FINISH_OK;
	while (status == BZ_FINISH_OK) {
		stream.next_out = out.data();
		stream.avail_out = static_cast<unsigned>(out.size());
		status = BZ2_bzCompress(&stream, BZ_FINISH);
	}
	BZ2_bzCompressEnd(&stream);
	return static_cast<uint64_t>(stream.total_out_hi32) << 32U | stream.total_out_lo32;
}

} // namespace hwrngd::iid
