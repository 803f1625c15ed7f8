// SPDX-License-Identifier: GPL-2.0-or-later
// Reproducible random-looking bytes, so that known answers need no data file: the AES-128-CTR key
// stream for the key 00112233445566778899aabbccddeeff and IV 0.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include <openssl/evp.h>

namespace hwrngd::test {

class AesCtr {
public:
	AesCtr() : context_(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free)
	{
		const std::array<uint8_t, 16> key{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
		                                  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
		const std::array<uint8_t, 16> iv{};
		if (!context_ || EVP_EncryptInit_ex(context_.get(), EVP_aes_128_ctr(), nullptr, key.data(),
		                                    iv.data()) != 1)
			throw std::runtime_error("AES-128-CTR");
	}

	/// The next out.size() bytes of the stream.
	void fill(std::span<uint8_t> out)
	{
		const std::vector<uint8_t> zeros(out.size());
		int n = 0;
		if (EVP_EncryptUpdate(context_.get(), out.data(), &n, zeros.data(),
		                      static_cast<int>(out.size())) != 1)
			throw std::runtime_error("AES-128-CTR");
	}

private:
	std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context_;
};

} // namespace hwrngd::test
