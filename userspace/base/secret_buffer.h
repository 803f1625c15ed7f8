// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for random bytes that is wiped before it is freed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace hwrngd {

/// A buffer of fixed size that wipes itself. It never reallocates, so no copy is left behind.
class SecretBuffer {
public:
	explicit SecretBuffer(size_t size) : bytes_(size) {}
	SecretBuffer(SecretBuffer &&) noexcept = default;
	SecretBuffer(const SecretBuffer &) = delete;
	SecretBuffer &operator=(SecretBuffer &&) = delete;
	SecretBuffer &operator=(const SecretBuffer &) = delete;
	~SecretBuffer()
	{
		if (!bytes_.empty()) // a buffer that was moved from has no memory
			explicit_bzero(bytes_.data(), bytes_.size());
	}

	[[nodiscard]] std::span<uint8_t> span() { return bytes_; }

private:
	std::vector<uint8_t> bytes_;
};

} // namespace hwrngd
