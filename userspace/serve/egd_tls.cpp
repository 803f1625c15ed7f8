// SPDX-License-Identifier: GPL-2.0-or-later
#include "serve/egd_link.h"

#include <cerrno>
#include <string_view>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

namespace hwrngd {

namespace {

template <typename Type> using Owned = std::unique_ptr<Type, void (*)(Type *)>;

std::unexpected<Error> fail_tls(std::string_view what)
{
	const auto number = ERR_peek_last_error();
	const char *reason = number == 0 ? nullptr : ERR_reason_error_string(number);
	ERR_clear_error();
	return fail(ExitCode::usage,
	            fmt::format("[egd] {}: {}", what, reason == nullptr ? "it has none" : reason));
}

Owned<BIO> reader_of(const std::string &pem)
{
	return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all};
}

/// Each certificate of a PEM file, in its order, until `use` returns false or there is none.
template <typename Use> bool for_each_certificate(const std::string &pem, const Use &use)
{
	const auto bio = reader_of(pem);
	size_t count = 0;
	while (bio) {
		const Owned<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
		                              X509_free);
		if (!certificate)
			break;
		if (!use(certificate.get(), count++))
			return false;
	}
	// That it ends is no error.
	if (count > 0)
		ERR_clear_error();
	return count > 0;
}

class TlsLink : public EgdLink {
public:
	TlsLink(int socket, Owned<SSL> ssl) : EgdLink(socket), ssl_(std::move(ssl)) {}

	[[nodiscard]] ssize_t receive(std::span<uint8_t> out) override
	{
		ERR_clear_error();
		errno = 0;
		return result(SSL_read(ssl_.get(), out.data(), static_cast<int>(out.size())),
		              SSL_ERROR_WANT_READ);
	}
	[[nodiscard]] ssize_t send(std::span<const uint8_t> bytes) override
	{
		ERR_clear_error();
		errno = 0;
		return result(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())),
		              SSL_ERROR_WANT_WRITE);
	}
	void end() override
	{
		ERR_clear_error();
		// Whether the other side hears of it is its own affair.
		[[maybe_unused]] const int said = ready() ? SSL_shutdown(ssl_.get()) : 0;
	}
	[[nodiscard]] bool pending() const override { return SSL_pending(ssl_.get()) > 0; }
	[[nodiscard]] bool ready() const override { return SSL_is_init_finished(ssl_.get()) == 1; }

private:
	/// `usual`: what such a call waits for.
	[[nodiscard]] ssize_t result(int n, int usual) const
	{
		if (n > 0)
			return n;
		const int why = SSL_get_error(ssl_.get(), n);
		if (why == SSL_ERROR_ZERO_RETURN || (why == SSL_ERROR_SYSCALL && errno == 0))
			return 0;
		if (why == usual)
			errno = EAGAIN;
		else if (why == SSL_ERROR_WANT_WRITE)
			errno = EINPROGRESS;
		else if (why != SSL_ERROR_SYSCALL)
			errno = EPROTO;
		return -1;
	}

	Owned<SSL> ssl_;
};

} // namespace

Result<LinkTo> serve_tls(const std::string &certificate, const std::string &key,
                         const std::string &authorities)
{
	const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
	if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1)
		return fail_tls("TLS 1.3");
	auto *tls = context.get();
	if (!for_each_certificate(certificate, [&](X509 *one, size_t number) {
		    return (number == 0 ? SSL_CTX_use_certificate(tls, one)
		                        : static_cast<int>(SSL_CTX_add1_chain_cert(tls, one))) == 1;
	    }))
		return fail_tls("tls_certificate");
	const auto bio = reader_of(key);
	const Owned<EVP_PKEY> private_key(
	    bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr,
	    EVP_PKEY_free);
	if (!private_key || SSL_CTX_use_PrivateKey(tls, private_key.get()) != 1)
		return fail_tls("tls_key");
	if (!for_each_certificate(authorities, [&](X509 *one, size_t) {
		    return X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), one) == 1 &&
		           SSL_CTX_add_client_CA(tls, one) == 1;
	    }))
		return fail_tls("tls_client_ca");
	// Who has no certificate of theirs is no client; sessions would have to be remembered.
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(tls, 0);
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                          SSL_MODE_RELEASE_BUFFERS);
	return [context](int socket) -> std::unique_ptr<EgdLink> {
		Owned<SSL> ssl(SSL_new(context.get()), SSL_free);
		if (!ssl || SSL_set_fd(ssl.get(), socket) != 1)
			return nullptr;
		SSL_set_accept_state(ssl.get());
		return std::make_unique<TlsLink>(socket, std::move(ssl));
	};
}

} // namespace hwrngd
