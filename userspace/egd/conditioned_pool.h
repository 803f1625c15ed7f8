// SPDX-License-Identifier: GPL-2.0-or-later
// A pool of bytes for EGD clients: the bytes of sources, conditioned with SHA-512, which is a
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
	/// Bytes that one run of SHA-512 returns.
	static constexpr size_t block = 64;
	/// Bits of entropy that go into one block: twice as many as come out. SP 800-90C (2.1) requires
	/// only 64 more than come out, but the credit of a source is an estimate.
	static constexpr uint64_t bits_for_block = uint64_t{2} * 8 * block;

	/// Holds `capacity` bytes, a multiple of `block`.
	[[nodiscard]] static Result<ConditionedPool> make(size_t capacity);

	/// Adds bytes of a source that passed their tests and are worth `bits`. A block is made as soon
	/// as there is enough input; no two blocks share input. A full pool discards `bytes`.
	[[nodiscard]] Result<void> add(std::span<const uint8_t> bytes, uint64_t bits);

	/// Moves min(out.size(), size()) bytes to `out` and returns how many. They are never returned
	/// again.
	size_t take(std::span<uint8_t> out);

	[[nodiscard]] size_t size() const { return size_; }
	/// Is there no room for another block?
	[[nodiscard]] bool full() { return bytes_.span().size() - size_ < block; }
	[[nodiscard]] size_t capacity() { return bytes_.span().size(); }

private:
	using Context = std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX *)>;

	ConditionedPool(size_t capacity, Context context);
	[[nodiscard]] Result<void> make_block();

	SecretBuffer bytes_; ///< a ring buffer
	size_t begin_ = 0;
	size_t size_ = 0;
	Context context_;
	uint64_t bits_ = 0; ///< of entropy in the unfinished block
};

} // namespace hwrngd
