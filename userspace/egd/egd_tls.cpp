// SPDX-License-Identifier: GPL-2.0-or-later
#include "egd/egd_link.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace hwrngd {

namespace {

template <typename Type> using Owned = std::unique_ptr<Type, void (*)(Type *)>;

/// OpenSSL's reason for its last error.
std::string reason()
{
	const auto number = ERR_peek_last_error();
	const char *text = number == 0 ? nullptr : ERR_reason_error_string(number);
	ERR_clear_error();
	return text == nullptr ? "OpenSSL gives no reason" : text;
}

/// The file of `key` in hwrngd.conf is wrong; `wanted` says what it must contain.
std::unexpected<Error> fail_file(std::string_view key, const PemFile &file, std::string_view wanted)
{
	return fail(ExitCode::usage, fmt::format("{}: {}: {}: the file must contain {}", key, file.path,
	                                         reason(), wanted));
}

Owned<BIO> reader_of(const PemFile &file)
{
	return {file.text.empty()
	            ? BIO_new(BIO_s_null()) // reads as an empty file
	            : BIO_new_mem_buf(file.text.data(), static_cast<int>(file.text.size())),
	        BIO_free_all};
}

/// Calls `use` with each certificate of a file, in order, until it returns false. Returns false
/// then, and also if there is no certificate, or one that cannot be read.
template <typename Use> bool for_each_certificate(const PemFile &file, const Use &use)
{
	const auto bio = reader_of(file);
	for (size_t number = 0; bio; number++) {
		const Owned<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
		                              X509_free);
		if (!certificate) {
			// The end of the file is not an error.
			const bool over = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
			if (number == 0 || !over)
				return false;
			ERR_clear_error();
			return true;
		}
		if (!use(certificate.get(), number))
			return false;
	}
	return false;
}

/// Replaces OpenSSL's own function, which would ask at the terminal.
int no_passphrase(char * /*out*/, int /*size*/, int /*writing*/, void * /*data*/)
{
	return -1;
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
		// Whether the peer receives this does not matter.
		[[maybe_unused]] const int said = ready() ? SSL_shutdown(ssl_.get()) : 0;
	}
	[[nodiscard]] bool pending() const override { return SSL_pending(ssl_.get()) > 0; }
	[[nodiscard]] bool ready() const override { return SSL_is_init_finished(ssl_.get()) == 1; }

	[[nodiscard]] std::string trouble() const override
	{
		if (const auto bad = SSL_get_verify_result(ssl_.get()); bad != X509_V_OK)
			return fmt::format("its certificate is refused: {}",
			                   X509_verify_cert_error_string(bad));
		const auto number = ERR_peek_last_error();
		const char *reason = number == 0 ? nullptr : ERR_reason_error_string(number);
		return reason == nullptr ? "" : fmt::format("TLS: {}", reason);
	}

private:
	/// Turns the result `n` of a call into that of recv(2) or send(2). `usual`: the SSL_ERROR_WANT_
	/// of this kind of call.
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

/// A context of TLS 1.3.
Result<std::shared_ptr<SSL_CTX>> make_context(const SSL_METHOD *method)
{
	ERR_clear_error();
	std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
	if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1)
		return fail(ExitCode::unavailable, "TLS 1.3 is not available: " + reason());
	SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
	                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                                    SSL_MODE_RELEASE_BUFFERS);
	// A peer that sends only TLS messages without end must not hold up a call.
	SSL_CTX_clear_mode(context.get(), SSL_MODE_AUTO_RETRY);
	return context;
}

/// Presents this certificate to the peer. `where` is the prefix of the configuration's keys.
Result<void> show(SSL_CTX *tls, const PemFile &certificate, const PemFile &key,
                  const std::string &where)
{
	if (!for_each_certificate(certificate, [&](X509 *one, size_t number) {
		    return (number == 0 ? SSL_CTX_use_certificate(tls, one)
		                        : static_cast<int>(SSL_CTX_add1_chain_cert(tls, one))) == 1;
	    }))
		return fail_file(where + "tls_certificate", certificate,
		                 "a certificate in PEM, followed by the rest of its chain");
	const auto bio = reader_of(key);
	const Owned<EVP_PKEY> private_key(
	    bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr) : nullptr,
	    EVP_PKEY_free);
	if (!private_key || SSL_CTX_use_PrivateKey(tls, private_key.get()) != 1)
		return fail_file(where + "tls_key", key,
		                 "the private key of the certificate in tls_certificate, in PEM and "
		                 "without a passphrase");
	return {};
}

bool is_address(const std::string &host)
{
	const Owned<ASN1_OCTET_STRING> address(a2i_IPADDRESS(host.c_str()), ASN1_OCTET_STRING_free);
	ERR_clear_error(); // a name is not an address
	return address != nullptr;
}

/// Requires the peer's certificate to be for `host`.
[[nodiscard]] bool expect_host(SSL *ssl, const std::string &host)
{
	auto *wanted = SSL_get0_param(ssl);
	// Certificates with the name only in the subject are obsolete.
	X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
	                                            X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1;
	return X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

} // namespace

Result<SecretBuffer> read_pem(const FileDescriptor &file, const std::string &what)
{
	constexpr off_t longest = 4 << 20; // enough for a list of all public authorities
	struct stat status = {};
	if (fstat(file.get(), &status) < 0)
		return fail_errno(errno, what);
	if (!S_ISREG(status.st_mode) || status.st_size > longest)
		return fail(ExitCode::usage, what + ": this is not a PEM file");
	SecretBuffer content(static_cast<size_t>(status.st_size));
	const auto all = content.span();
	for (size_t at = 0; at < all.size();) {
		const auto n = ::pread(file.get(), &all[at], all.size() - at, static_cast<off_t>(at));
		if (n < 0)
			return fail_errno(errno, what);
		if (n == 0)
			return fail(ExitCode::io_error, what + ": it became shorter while it was read");
		at += static_cast<size_t>(n);
	}
	return content;
}

Result<LinkTo> serve_tls(const PemFile &certificate, const PemFile &key, const PemFile &authorities)
{
	const auto context = make_context(TLS_server_method());
	if (!context)
		return std::unexpected(context.error());
	auto *tls = context->get();
	if (auto shown = show(tls, certificate, key, "egd."); !shown)
		return std::unexpected(shown.error());
	if (!for_each_certificate(authorities, [&](X509 *one, size_t) {
		    return X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), one) == 1 &&
		           SSL_CTX_add_client_CA(tls, one) == 1;
	    }))
		return fail_file("egd.tls_client_ca", authorities,
		                 "the certificates of the authorities that sign clients' certificates, in "
		                 "PEM");
	// A client needs a certificate of theirs. Sessions are off, since they would have to be stored.
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(tls, 0);
	return [context = *context](int socket) -> std::unique_ptr<EgdLink> {
		Owned<SSL> ssl(SSL_new(context.get()), SSL_free);
		if (!ssl || SSL_set_fd(ssl.get(), socket) != 1)
			return nullptr;
		SSL_set_accept_state(ssl.get());
		return std::make_unique<TlsLink>(socket, std::move(ssl));
	};
}

Result<LinkTo> reach_tls(const PemFile &authorities, const PemFile &certificate, const PemFile &key,
                         const std::string &host)
{
	const auto context = make_context(TLS_client_method());
	if (!context)
		return std::unexpected(context.error());
	auto *tls = context->get();
	if (!for_each_certificate(authorities, [&](X509 *one, size_t) {
		    return X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), one) == 1;
	    }))
		return fail_file("tls_ca", authorities,
		                 "the certificates of the authorities that sign the server's certificate, "
		                 "in PEM");
	if (!certificate.path.empty() || !key.path.empty())
		if (auto shown = show(tls, certificate, key, ""); !shown)
			return std::unexpected(shown.error());
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, nullptr);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	return [context = *context, host](int socket) -> std::unique_ptr<EgdLink> {
		Owned<SSL> ssl(SSL_new(context.get()), SSL_free);
		if (!ssl || SSL_set_fd(ssl.get(), socket) != 1 || !expect_host(ssl.get(), host))
			return nullptr;
		SSL_set_connect_state(ssl.get());
		return std::make_unique<TlsLink>(socket, std::move(ssl));
	};
}

} // namespace hwrngd
