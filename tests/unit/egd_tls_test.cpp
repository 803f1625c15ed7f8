// SPDX-License-Identifier: GPL-2.0-or-later
// EGD over TLS, with OpenSSL at both ends: what is refused, and how a client may misbehave.
#include "certificates.h"
#include "egd_machine.h"

#include <fcntl.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

using namespace hwrngd;
using namespace hwrngd::test;
using namespace std::chrono_literals;

namespace {

PemFile file(const char *path, const std::string &text)
{
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes of a string
	return {path, {reinterpret_cast<const uint8_t *>(text.data()), text.size()}};
}

Result<LinkTo> serve(const std::string &certificate, const std::string &key,
                     const std::string &authorities)
{
	return serve_tls(file("/the/certificate", certificate), file("/the/key", key),
	                 file("/the/authorities", authorities));
}

/// The certificates that all tests share.
struct Names {
	Identity authority{"authority"};
	Identity stranger{"stranger"};
	Identity server{"server", &authority};
	Identity client{"client", &authority};
	Identity foreign{"foreign", &stranger};
	Identity expired{"expired", &authority, -60};
};

const Names &names()
{
	// OpenSSL writes to closed connections, at both ends. hwrngd-egd ignores SIGPIPE too.
	std::signal(SIGPIPE, SIG_IGN);
	static const Names all;
	return all;
}

LinkTo right_links()
{
	return *serve(names().server.certificate_pem(), names().server.key_pem(),
	              names().authority.certificate_pem());
}

/// How a client starts the handshake.
struct Manner {
	const Identity *identity = &names().client;
	int newest = TLS1_3_VERSION;
	bool verifies = true;
};

/// A client that never blocks: the event loop runs between its steps.
class TlsPeer {
public:
	explicit TlsPeer(FileDescriptor fd, const Manner &manner = {})
	    : fd_(std::move(fd)), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
	      ssl_(nullptr, SSL_free)
	{
		auto *const context = context_.get();
		SSL_CTX_set_max_proto_version(context, manner.newest);
		X509_STORE_add_cert(SSL_CTX_get_cert_store(context), names().authority.certificate());
		SSL_CTX_set_verify(context, manner.verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
		if (manner.identity != nullptr) {
			SSL_CTX_use_certificate(context, manner.identity->certificate());
			SSL_CTX_use_PrivateKey(context, manner.identity->key());
		}
		ssl_.reset(SSL_new(context));
		fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
		SSL_set_fd(ssl_.get(), fd_.get());
		SSL_set_connect_state(ssl_.get());
	}

	/// Goes on as far as possible, and receives what has arrived.
	const Bytes &received()
	{
		Bytes some(4096);
		int n = 1;
		while (n > 0) {
			ERR_clear_error();
			n = SSL_read(ssl_.get(), some.data(), static_cast<int>(some.size()));
			if (n > 0)
				got_.insert(got_.end(), some.begin(), some.begin() + n);
		}
		note(n);
		return got_;
	}
	[[nodiscard]] bool over()
	{
		[[maybe_unused]] const auto &bytes = received();
		return over_;
	}
	/// The reason for its end, as SSL_R_...
	[[nodiscard]] int reason() const { return reason_; }
	/// Sends the beginning of a handshake, or the rest of the client's part.
	[[nodiscard]] bool connected()
	{
		ERR_clear_error();
		const int n = SSL_do_handshake(ssl_.get());
		note(n);
		return n == 1;
	}
	[[nodiscard]] bool send(const Bytes &bytes)
	{
		ERR_clear_error();
		return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
		       static_cast<int>(bytes.size());
	}
	/// Sends bytes outside of TLS.
	void send_raw(const Bytes &bytes) const
	{
		ASSERT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
		          static_cast<ssize_t>(bytes.size()));
	}
	[[nodiscard]] SSL *ssl() const { return ssl_.get(); }

private:
	/// `n`: the result of a call of OpenSSL.
	void note(int n)
	{
		const int why = SSL_get_error(ssl_.get(), n);
		if (n > 0 || over_ || why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
			return;
		over_ = true;
		reason_ = ERR_GET_REASON(ERR_peek_error());
	}

	FileDescriptor fd_;
	std::unique_ptr<SSL_CTX, void (*)(SSL_CTX *)> context_;
	std::unique_ptr<SSL, void (*)(SSL *)> ssl_;
	Bytes got_;
	bool over_ = false;
	int reason_ = 0;
};

struct TlsMachine : EgdMachine {
	explicit TlsMachine(const EgdServer::Limits &limits = {.client_rate = 0, .total_rate = 0})
	    : EgdMachine(limits, right_links())
	{
		fill(40);
	}

	/// Does a client that connects like this get its bytes?
	[[nodiscard]] bool serves(TlsPeer &peer, size_t bytes = 16)
	{
		const auto before = peer.received().size();
		return until([&] { return peer.connected() || peer.over(); }) &&
		       peer.send({2, static_cast<uint8_t>(bytes)}) &&
		       until([&] { return peer.received().size() >= before + bytes || peer.over(); }) &&
		       peer.received().size() == before + bytes;
	}
	[[nodiscard]] bool serves(const Manner &manner)
	{
		TlsPeer peer(connect_socket(), manner);
		return serves(peer);
	}
	/// Why a client is disconnected that connects like this and requests bytes at once.
	[[nodiscard]] int refusal(const Manner &manner)
	{
		TlsPeer peer(connect_socket(), manner);
		bool asked = false;
		EXPECT_TRUE(until([&] {
			asked = asked || (peer.connected() && peer.send({2, 16}));
			return peer.over();
		}));
		EXPECT_TRUE(peer.received().empty());
		EXPECT_EQ(server.counts().served, 0U);
		EXPECT_TRUE(until([&] { return server.counts().clients == 0; }));
		return peer.reason();
	}
};

TEST(EgdTls, ErrorsNameWhatIsWrongWithAFile)
{
	const auto &all = names();
	const auto certificate = all.server.certificate_pem();
	const auto key = all.server.key_pem();
	const auto authority = all.authority.certificate_pem();
	struct Case {
		std::string certificate, key, authorities;
		std::vector<std::string> told;
	};
	const std::string no_pem = "-----BEGIN NONSENSE-----\n";
	const std::vector<Case> cases{
	    {"", key, authority, {"egd.tls_certificate: /the/certificate: ", "in PEM"}},
	    {no_pem, key, authority, {"egd.tls_certificate: /the/certificate: "}},
	    {key, key, authority, {"egd.tls_certificate: /the/certificate: no start line"}},
	    {certificate.substr(0, certificate.size() / 2),
	     key,
	     authority,
	     {"egd.tls_certificate: /the/certificate: "}},
	    {certificate + authority.substr(0, authority.size() / 2),
	     key,
	     authority,
	     {"egd.tls_certificate: /the/certificate: "}},
	    {certificate, "", authority, {"egd.tls_key: /the/key: ", "in PEM"}},
	    {certificate, certificate, authority, {"egd.tls_key: /the/key: "}},
	    {certificate,
	     all.client.key_pem(),
	     authority,
	     {"egd.tls_key: /the/key: key values mismatch: ", "of the certificate in tls_certificate"}},
	    {certificate,
	     all.server.key_pem("secret"),
	     authority,
	     {"egd.tls_key: /the/key: ", "without a passphrase"}},
	    {certificate, key, "", {"egd.tls_client_ca: /the/authorities: ", "in PEM"}},
	    {certificate, key, "nobody\n", {"egd.tls_client_ca: /the/authorities: no start line"}},
	    {certificate,
	     key,
	     authority + authority.substr(0, authority.size() / 2),
	     {"egd.tls_client_ca: /the/authorities: "}},
	};
	for (const auto &one : cases) {
		const auto links = serve(one.certificate, one.key, one.authorities);
		ASSERT_FALSE(links) << one.told.front();
		EXPECT_EQ(links.error().code, ExitCode::usage);
		for (const auto &text : one.told)
			EXPECT_NE(links.error().message.find(text), std::string::npos) << links.error().message;
	}
	EXPECT_TRUE(serve(certificate, key, authority));
	EXPECT_TRUE(serve(certificate + authority, "A comment.\n" + key, authority + certificate));
}

TEST(EgdTls, ManyAuthoritiesAndAChain)
{
	const auto &all = names();
	EgdMachine machine({.client_rate = 0, .total_rate = 0},
	                   *serve(all.server.certificate_pem() + all.authority.certificate_pem(),
	                          all.server.key_pem(),
	                          all.authority.certificate_pem() + all.stranger.certificate_pem()));
	machine.fill(10);
	for (const auto *client : {&all.client, &all.foreign}) {
		TlsPeer peer(machine.connect_socket(), {.identity = client});
		ASSERT_TRUE(machine.until([&] { return peer.connected(); }));
		ASSERT_TRUE(peer.send({2, 8}));
		EXPECT_TRUE(machine.until([&] { return peer.received().size() == 8; }));
	}
}

TEST(EgdTls, AClientWithTheRightCertificateIsServed)
{
	TlsMachine machine;
	TlsPeer peer(machine.connect_socket());
	EXPECT_TRUE(machine.serves(peer));
	EXPECT_STREQ(SSL_get_version(peer.ssl()), "TLSv1.3");
	// One record that is larger than the input buffer.
	Bytes many;
	for (int i = 0; i < 400; i++)
		many.insert(many.end(), {0, 2, 4});
	ASSERT_TRUE(peer.send(many));
	EXPECT_TRUE(machine.until([&] { return peer.received().size() == 16 + 400 * 8; }));
	EXPECT_FALSE(peer.over());
	// A client that stopped sending still gets its answer.
	ASSERT_TRUE(peer.send({2, 32}));
	EXPECT_EQ(SSL_shutdown(peer.ssl()), 0);
	EXPECT_TRUE(machine.until([&] { return peer.over(); }));
	EXPECT_EQ(peer.received().size(), 16U + 400 * 8 + 32);
	EXPECT_TRUE(machine.until([&] { return machine.server.counts().clients == 0; }));
}

TEST(EgdTls, OtherClientsGetTheReason)
{
	TlsMachine machine;
	EXPECT_EQ(machine.refusal({.identity = nullptr}), SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
	EXPECT_EQ(machine.refusal({.identity = &names().foreign}), SSL_R_TLSV1_ALERT_UNKNOWN_CA);
	EXPECT_EQ(machine.refusal({.identity = &names().stranger}), SSL_R_TLSV1_ALERT_UNKNOWN_CA);
	EXPECT_EQ(machine.refusal({.identity = &names().expired}),
	          SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED);
	EXPECT_EQ(machine.refusal({.newest = TLS1_2_VERSION}), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
	EXPECT_TRUE(machine.serves(Manner{}));
}

// A machine whose clock is wrong, as at boot, must still have a server. The clients judge.
TEST(EgdTls, AnExpiredServerCertificateIsLeftToTheClients)
{
	EgdMachine machine({.client_rate = 0, .total_rate = 0},
	                   *serve(names().expired.certificate_pem(), names().expired.key_pem(),
	                          names().authority.certificate_pem()));
	machine.fill(1);
	TlsPeer careful(machine.connect_socket());
	EXPECT_TRUE(machine.until([&] { return !careful.connected() && careful.over(); }));
	EXPECT_EQ(careful.reason(), SSL_R_CERTIFICATE_VERIFY_FAILED);
	EXPECT_EQ(SSL_get_verify_result(careful.ssl()), X509_V_ERR_CERT_HAS_EXPIRED);
	EXPECT_TRUE(machine.until([&] { return machine.server.counts().clients == 0; }));
	TlsPeer careless(machine.connect_socket(), {.verifies = false});
	ASSERT_TRUE(machine.until([&] { return careless.connected(); }));
	ASSERT_TRUE(careless.send({2, 8}));
	EXPECT_TRUE(machine.until([&] { return careless.received().size() == 8; }));
}

TEST(EgdTls, AStalledHandshakeEndsTheConnection)
{
	TlsMachine machine({.client_rate = 0, .total_rate = 0, .idle = 0ms, .patience = 100ms});
	auto silent = machine.connect();
	auto begun = machine.connect();
	begun.send({22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}); // the beginning of a ClientHello
	TlsPeer half(machine.connect_socket());
	EXPECT_FALSE(half.connected()); // it sent a ClientHello and nothing else
	ASSERT_TRUE(machine.until([&] { return machine.server.counts().clients == 3; }));
	TlsPeer whole(machine.connect_socket());
	ASSERT_TRUE(machine.serves(whole));
	EXPECT_TRUE(machine.until([&] { return machine.server.counts().clients == 1; }));
	machine.rest(200ms);
	EXPECT_TRUE(silent.over());
	EXPECT_TRUE(begun.over());
	EXPECT_FALSE(whole.over()) << "its handshake is complete, so it may be idle";
}

TEST(EgdTls, AnIdleClientIsDisconnected)
{
	TlsMachine machine({.client_rate = 0, .total_rate = 0, .idle = 100ms, .patience = 40ms});
	TlsPeer peer(machine.connect_socket());
	ASSERT_TRUE(machine.serves(peer));
	EXPECT_TRUE(machine.until([&] { return peer.over(); }));
	EXPECT_EQ(SSL_get_shutdown(peer.ssl()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN)
	    << "TLS was closed in order";
}

TEST(EgdTls, GarbageEndsTheConnection)
{
	TlsMachine machine;
	auto plain = machine.connect();
	plain.send({2, 16});
	plain.send(Bytes(600, 2));
	EXPECT_TRUE(machine.until([&] { return plain.over(); }));
	TlsPeer half(machine.connect_socket());
	EXPECT_FALSE(half.connected());
	machine.rest(5ms);
	half.send_raw(Bytes(600, 0x17));
	EXPECT_TRUE(machine.until([&] { return machine.server.counts().clients == 0; }));
	TlsPeer whole(machine.connect_socket());
	ASSERT_TRUE(machine.serves(whole));
	whole.send_raw({23, 3,  3,  0,  20, 1,  2,  3,  4,  5,  6,  7, 8,
	                9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}); // like an encrypted record
	EXPECT_TRUE(machine.until([&] { return whole.over(); }));
	EXPECT_TRUE(machine.serves(Manner{}));
	EXPECT_EQ(machine.server.counts().served, 32U);
}

TEST(EgdTls, RenegotiationAndEarlyDataAreRefused)
{
	TlsMachine machine;
	TlsPeer peer(machine.connect_socket());
	ASSERT_TRUE(machine.serves(peer));
	EXPECT_EQ(SSL_renegotiate(peer.ssl()), 0) << "TLS 1.3 has no renegotiation";
	const auto *const session = SSL_get0_session(peer.ssl());
	EXPECT_EQ(SSL_SESSION_is_resumable(session), 0);
	EXPECT_EQ(SSL_SESSION_get_max_early_data(session), 0U);
	// A key update is allowed, and the client is still served.
	ASSERT_EQ(SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
	EXPECT_TRUE(machine.serves(peer));
}

TEST(EgdTls, EndlessKeyUpdatesHoldUpNoOther)
{
	TlsMachine machine({.client_rate = 0, .total_rate = 0, .idle = 0ms, .patience = 500ms});
	TlsPeer peer(machine.connect_socket());
	ASSERT_TRUE(machine.serves(peer));
	TlsPeer other(machine.connect_socket());
	ASSERT_TRUE(machine.serves(other));
	// It requests an answer to each, and reads none.
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 20; i++)
			if (SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED) != 1 || !peer.connected())
				break;
		machine.rest(0ms);
		ASSERT_TRUE(round % 20 != 0 || machine.serves(other));
	}
	EXPECT_TRUE(machine.serves(other));
}

TEST(EgdTls, AClientThatDoesNotReadIsDisconnected)
{
	TlsMachine machine({.client_rate = 0, .total_rate = 0, .idle = 0ms, .patience = 100ms});
	TlsPeer deaf(machine.connect_socket());
	ASSERT_TRUE(machine.serves(deaf));
	TlsPeer other(machine.connect_socket());
	ASSERT_TRUE(machine.serves(other));
	for (int i = 0; i < 2000 && machine.server.counts().clients == 2; i++) {
		machine.fill(4);
		machine.rest(1ms);
		[[maybe_unused]] const bool sent = deaf.send({2, 255, 2, 255, 2, 255, 2, 255});
	}
	EXPECT_EQ(machine.server.counts().clients, 1U);
	const auto served = machine.server.counts().served;
	EXPECT_LT(served, 500'000U) << "the capacity of a socket";
	machine.fill(4);
	EXPECT_TRUE(machine.serves(other));
}

} // namespace
