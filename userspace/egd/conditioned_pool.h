// SPDX-License-Identifier: GPL-2.0-or-later
// A pool of bytes for others than the kernel: what sources gave, conditioned by SHA-512, which is a
// vetted conditioning component of SP 800-90B (3.1.5.1.1).
#pragma once

#include "base/error.h"
#include "base/secret_buffer.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <openssl/types.h>

namespace hwrngd {

class ConditionedPool {
public:
	/// What one run of SHA-512 gives.
	static constexpr size_t block = 64;
	/// Bits of entropy that go into one: twice what comes out. SP 800-90C (2.1) asks for 64 more
	/// than come out; what sources are credited with is an estimate.
	static constexpr uint64_t bits_for_block = uint64_t{2} * 8 * block;

	/// Holds `capacity` bytes, a multiple of `block`.
	[[nodiscard]] static Result<ConditionedPool> make(size_t capacity);

	/// Takes what a source gave and passed its tests, worth `bits`. When enough has come together,
	/// that becomes a block, which shares no input with another. A full pool forgets
	/// what it is given.
	[[nodiscard]] Result<void> add(std::span<const uint8_t> bytes, uint64_t bits);

	/// Moves min(out.size(), size()) bytes out, and returns how many: nobody gets them again.
	size_t take(std::span<uint8_t> out);

	[[nodiscard]] size_t size() const { return size_; }
	/// No block fits in.
	[[nodiscard]] bool full() { return bytes_.span().size() - size_ < block; }
	[[nodiscard]] size_t capacity() { return bytes_.span().size(); }

private:
	using Context = std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX *)>;

	ConditionedPool(size_t capacity, Context context);
	[[nodiscard]] Result<void> make_block();

	SecretBuffer bytes_; ///< a ring
	size_t begin_ = 0;
	size_t size_ = 0;
	Context context_;
	uint64_t bits_ = 0; ///< in the block that is being made
};

} // namespace hwrngd
