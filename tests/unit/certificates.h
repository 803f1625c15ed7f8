// SPDX-License-Identifier: GPL-2.0-or-later
// Certificates that are made for one test.
#pragma once

#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace hwrngd::test {

/// A key, and a certificate for it.
class Identity {
public:
	static constexpr long day = 24L * 3600;

	/// The certificate is signed by `authority`; without one, by itself, which makes it an
	/// authority. It is valid until `end`, in seconds from now.
	explicit Identity(const std::string &name, const Identity *authority = nullptr, long end = day)
	    : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), certificate_(X509_new(), X509_free)
	{
		auto *const certificate = certificate_.get();
		static long serial = 0;
		must(key_ && certificate != nullptr && X509_set_version(certificate, 2) == 1);
		must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial) == 1);
		must(X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * day) != nullptr);
		must(X509_gmtime_adj(X509_getm_notAfter(certificate), end) != nullptr);
		must(X509_set_pubkey(certificate, key_.get()) == 1);
		auto *const subject = X509_get_subject_name(certificate);
		// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL requires it
		const auto *const text = reinterpret_cast<const unsigned char *>(name.c_str());
		must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1);
		const auto *const by = authority == nullptr ? this : authority;
		must(X509_set_issuer_name(certificate, X509_get_subject_name(by->certificate_.get())) == 1);
		if (authority == nullptr) {
			const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION *)> extension(
			    X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE"),
			    X509_EXTENSION_free);
			must(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
		}
		must(X509_sign(certificate, by->key_.get(), EVP_sha256()) > 0);
	}

	[[nodiscard]] EVP_PKEY *key() const { return key_.get(); }
	[[nodiscard]] X509 *certificate() const { return certificate_.get(); }

	[[nodiscard]] std::string certificate_pem() const
	{
		return text_of([&](BIO *bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
	}
	/// Encrypted, if there is a passphrase.
	[[nodiscard]] std::string key_pem(std::string passphrase = "") const
	{
		return text_of([&](BIO *bio) {
			return PEM_write_bio_PKCS8PrivateKey(
			    bio, key_.get(), passphrase.empty() ? nullptr : EVP_aes_128_cbc(),
			    passphrase.data(), static_cast<int>(passphrase.size()), nullptr, nullptr);
		});
	}

private:
	static void must(bool good)
	{
		if (!good)
			throw std::runtime_error("OpenSSL cannot make a certificate");
	}
	template <typename Write> static std::string text_of(const Write &write)
	{
		const std::unique_ptr<BIO, int (*)(BIO *)> bio(BIO_new(BIO_s_mem()), BIO_free);
		must(bio && write(bio.get()) == 1);
		char *text = nullptr;
		const auto size = BIO_get_mem_data(bio.get(), &text);
		return {text, static_cast<size_t>(size)};
	}

	std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY *)> key_;
	std::unique_ptr<X509, void (*)(X509 *)> certificate_;
};

} // namespace hwrngd::test
