// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/sample.h"

#include "aes_ctr.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

/// A faulty source: returns `most` bytes per call, and an error after `limit` bytes in total.
class FaultySource : public Source {
public:
	FaultySource(size_t most, size_t limit, bool ends) : most_(most), limit_(limit), ends_(ends) {}

	Result<size_t> read(std::span<uint8_t> out, std::chrono::milliseconds /*limit*/) override
	{
		const size_t n = std::min({out.size(), most_, limit_ - given_});
		if (n == 0 && !ends_)
			return fail_errno(EIO, "faulty");
		stream_.fill(out.first(n));
		given_ += n;
		return n;
	}

private:
	AesCtr stream_;
	size_t most_;
	size_t limit_;
	bool ends_;
	size_t given_ = 0;
};

TEST(Sample, ShortReadsChangeNothing)
{
	FaultySource source(7, 4 + 3 * 2500, true);
	size_t bytes = 0;
	const auto sample = test_blocks(source, {.blocks = 3}, [&](auto block, uint8_t failed) {
		EXPECT_EQ(failed, 0);
		bytes += block.size();
	});
	ASSERT_TRUE(sample);
	EXPECT_EQ(sample->fips.blocks, 3U);
	EXPECT_EQ(sample->bytes_read, 4U + 7500U);
	EXPECT_EQ(bytes, 7500U);
}

TEST(Sample, APartialLastBlockIsNotTested)
{
	for (const size_t a_read : {size_t{1}, size_t{2}, size_t{100}}) {
		FaultySource source(1000, 4 + 3 * 2500 + 2499, true);
		const auto sample =
		    test_blocks(source, {.blocks = {}, .blocks_a_read = a_read}, [](auto, auto) {});
		ASSERT_TRUE(sample);
		EXPECT_EQ(sample->fips.blocks, 3U);
	}
}

TEST(Sample, AnErrorInTheMiddleIsAnError)
{
	FaultySource source(1000, 4 + 3 * 2500, false);
	const auto sample = test_blocks(source, {.blocks = 4}, [](auto, auto) {});
	ASSERT_FALSE(sample);
	EXPECT_EQ(sample.error().number, EIO);
}

TEST(Sample, TooLittleForTheBootstrapWordIsZeroBlocks)
{
	FaultySource source(1000, 3, true);
	const auto sample = test_blocks(source, {.blocks = 1}, [](auto, auto) {});
	ASSERT_TRUE(sample);
	EXPECT_EQ(sample->fips.blocks, 0U);
	EXPECT_FALSE(sample->fips.healthy());
}

TEST(Sample, NamesTheTestsInJson)
{
	fips140_2::Statistics fips;
	fips.add(fips140_2::long_run | fips140_2::continuous);
	EXPECT_EQ(to_json(fips).dump(), R"({"blocks":1,"failures":1,"monobit":0,"poker":0,"runs":0,)"
	                                R"("long_run":1,"continuous_run":1})");
	EXPECT_EQ(to_text(fips), "1 of 1 block failed (Long run 1, Continuous run 1)");
}

} // namespace
