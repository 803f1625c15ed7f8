// SPDX-License-Identifier: GPL-2.0-or-later
#include "egd/conditioned_pool.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <openssl/evp.h>

namespace hwrngd {

namespace {

std::unexpected<Error> fail_openssl()
{
	return fail(ExitCode::io_error, "OpenSSL does not provide SHA-512");
}

} // namespace

ConditionedPool::ConditionedPool(size_t capacity, Context context)
    : bytes_(capacity), context_(std::move(context))
{
}

Result<ConditionedPool> ConditionedPool::make(size_t capacity)
{
	Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
	if (!context || EVP_DigestInit_ex(context.get(), EVP_sha512(), nullptr) != 1)
		return fail_openssl();
	return ConditionedPool(capacity, std::move(context));
}

Result<void> ConditionedPool::add(std::span<const uint8_t> bytes, uint64_t bits)
{
	// Small steps, since a whole piece of good bytes would be wasted on one block.
	constexpr size_t step = 32;
	bits = std::min<uint64_t>(bits, bytes.size() * 8);
	for (size_t at = 0; at < bytes.size() && !full(); at += step) {
		const auto part = bytes.subspan(at, std::min(step, bytes.size() - at));
		if (EVP_DigestUpdate(context_.get(), part.data(), part.size()) != 1)
			return fail_openssl();
		bits_ += bits * (at + part.size()) / bytes.size() - bits * at / bytes.size();
		if (bits_ < bits_for_block)
			continue;
		if (auto made = make_block(); !made)
			return made;
	}
	return {};
}

Result<void> ConditionedPool::make_block()
{
	bits_ = 0; // a surplus does not count for the next block
	std::array<uint8_t, block> made{};
	if (EVP_DigestFinal_ex(context_.get(), made.data(), nullptr) != 1 ||
	    EVP_DigestInit_ex(context_.get(), nullptr, nullptr) != 1)
		return fail_openssl();
	// Blocks are taken in pieces, so this one may wrap around the end.
	const auto all = bytes_.span();
	const size_t end = (begin_ + size_) % all.size();
	const size_t first = std::min(block, all.size() - end);
	std::copy_n(made.begin(), first, all.begin() + static_cast<ptrdiff_t>(end));
	std::copy(made.begin() + static_cast<ptrdiff_t>(first), made.end(), all.begin());
	size_ += block;
	explicit_bzero(made.data(), made.size());
	return {};
}

size_t ConditionedPool::take(std::span<uint8_t> out)
{
	const auto all = bytes_.span();
	size_t taken = 0;
	while (taken < out.size() && size_ > 0) {
		const size_t n = std::min({out.size() - taken, size_, all.size() - begin_});
		const auto from = all.subspan(begin_, n);
		std::ranges::copy(from, out.begin() + static_cast<ptrdiff_t>(taken));
		explicit_bzero(from.data(), from.size());
		begin_ = (begin_ + n) % all.size();
		size_ -= n;
		taken += n;
	}
	return taken;
}

} // namespace hwrngd
