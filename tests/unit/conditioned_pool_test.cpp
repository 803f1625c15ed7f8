// SPDX-License-Identifier: GPL-2.0-or-later
#include "egd/conditioned_pool.h"

#include <array>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/sha.h>

using namespace hwrngd;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes sha512(const Bytes &bytes)
{
	Bytes digest(SHA512_DIGEST_LENGTH);
	SHA512(bytes.data(), bytes.size(), digest.data());
	return digest;
}

Bytes take(ConditionedPool &pool, size_t size)
{
	Bytes bytes(size);
	bytes.resize(pool.take(bytes));
	return bytes;
}

TEST(ConditionedPool, ABlockIsTheDigestOfTwiceItsEntropy)
{
	auto pool = ConditionedPool::make(1024);
	ASSERT_TRUE(pool);
	const Bytes piece(512, 0x5a);
	ASSERT_TRUE(pool->add(piece, 1023));
	EXPECT_EQ(pool->size(), 0U) << "one bit is missing";
	EXPECT_TRUE(take(*pool, 10).empty());
	const Bytes more(32, 0xa5);
	ASSERT_TRUE(pool->add(more, 1));
	ASSERT_EQ(pool->size(), 64U);
	Bytes all = piece;
	all.insert(all.end(), more.begin(), more.end());
	EXPECT_EQ(take(*pool, 100), sha512(all));
	EXPECT_EQ(pool->size(), 0U) << "bytes are returned only once";
	EXPECT_TRUE(take(*pool, 100).empty());
}

TEST(ConditionedPool, BytesWithoutCreditMakeNoBlock)
{
	auto pool = ConditionedPool::make(1024);
	ASSERT_TRUE(pool);
	for (int i = 0; i < 1000; i++)
		ASSERT_TRUE(pool->add(Bytes(512), 0));
	EXPECT_EQ(pool->size(), 0U);
	ASSERT_TRUE(pool->add(Bytes(1), 100'000));
	EXPECT_EQ(pool->size(), 0U) << "a byte counts for at most 8 bits";
}

TEST(ConditionedPool, FullCreditMakesSeveralBlocks)
{
	auto pool = ConditionedPool::make(1024);
	ASSERT_TRUE(pool);
	Bytes bytes(512);
	for (size_t i = 0; i < bytes.size(); i++)
		bytes[i] = static_cast<uint8_t>(i * 7);
	ASSERT_TRUE(pool->add(bytes, 4096));
	EXPECT_EQ(pool->size(), 4 * ConditionedPool::block);
	EXPECT_EQ(take(*pool, 64), sha512(Bytes(bytes.begin(), bytes.begin() + 128)));
	EXPECT_EQ(take(*pool, 64), sha512(Bytes(bytes.begin() + 128, bytes.begin() + 256)));
}

TEST(ConditionedPool, DiscardsInputWhenFull)
{
	auto pool = ConditionedPool::make(256);
	ASSERT_TRUE(pool);
	EXPECT_EQ(pool->capacity(), 256U);
	for (int i = 0; i < 10; i++)
		ASSERT_TRUE(pool->add(Bytes(128), 1024));
	EXPECT_TRUE(pool->full());
	EXPECT_EQ(pool->size(), 256U);
	EXPECT_EQ(take(*pool, 10).size(), 10U);
	EXPECT_TRUE(pool->full()) << "there is no room for a whole block";
	EXPECT_EQ(take(*pool, 54).size(), 54U);
	EXPECT_FALSE(pool->full());
}

TEST(ConditionedPool, WrapsAroundItsEnd)
{
	auto pool = ConditionedPool::make(192);
	ASSERT_TRUE(pool);
	std::set<Bytes> seen;
	Bytes expected;
	Bytes got;
	Bytes input(128);
	for (unsigned i = 0; i < 500; i++) {
		input[0] = static_cast<uint8_t>(i);
		input[1] = static_cast<uint8_t>(i >> 8U);
		while (pool->full()) {
			const auto some = take(*pool, 1 + i % 100);
			got.insert(got.end(), some.begin(), some.end());
		}
		ASSERT_TRUE(pool->add(input, 1024));
		const auto digest = sha512(input);
		expected.insert(expected.end(), digest.begin(), digest.end());
	}
	const auto rest = take(*pool, 1000);
	got.insert(got.end(), rest.begin(), rest.end());
	EXPECT_EQ(got, expected);
}

} // namespace
