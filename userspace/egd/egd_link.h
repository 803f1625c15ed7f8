// SPDX-License-Identifier: GPL-2.0-or-later
// How bytes travel between an EGD server and a client: unencrypted, or over TLS.
#pragma once

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/secret_buffer.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace hwrngd {

/// A connection on a socket that does not block, and that the caller owns. receive() and send()
/// return and set errno like recv(2) and send(2):
/// - EAGAIN: wait until the socket is ready for what was called: reading or writing.
/// - EINPROGRESS: wait until the socket is writable, since TLS must send something first.
class EgdLink {
public:
	explicit EgdLink(int socket) : socket_(socket) {}
	EgdLink(const EgdLink &) = delete;
	EgdLink &operator=(const EgdLink &) = delete;
	virtual ~EgdLink() = default;

	[[nodiscard]] virtual ssize_t receive(std::span<uint8_t> out)
	{
		return ::recv(socket_, out.data(), out.size(), 0);
	}
	[[nodiscard]] virtual ssize_t send(std::span<const uint8_t> bytes)
	{
		return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
	}
	/// Is something ready to be received, even if the socket is not readable?
	[[nodiscard]] virtual bool pending() const { return false; }
	/// Tells the peer that the connection ends. The socket is closed afterwards.
	virtual void end() {}
	/// Is the handshake complete?
	[[nodiscard]] virtual bool ready() const { return true; }
	/// What went wrong in the last call, if errno does not say enough; otherwise empty.
	[[nodiscard]] virtual std::string trouble() const { return ""; }

private:
	int socket_;
};

/// Makes the link for a socket.
using LinkTo = std::function<std::unique_ptr<EgdLink>(int socket)>;

/// A link without encryption.
[[nodiscard]] inline std::unique_ptr<EgdLink> plain_link(int socket)
{
	return std::make_unique<EgdLink>(socket);
}

/// The content of a PEM file. It belongs to the caller and is not copied.
struct PemFile {
	std::string path; ///< for errors
	std::span<const uint8_t> text;
};

/// Reads a whole file for the functions below; no copy of it stays in memory. The read position of
/// `file` does not move, so it can be read again. `what` names it in errors.
[[nodiscard]] Result<SecretBuffer> read_pem(const FileDescriptor &file, const std::string &what);

/// Returns the function that makes TLS 1.3 links with clients. A client needs a certificate that
/// one of the authorities signed. The rest of its chain may follow our own certificate in its file.
/// Errors (ExitCode::usage) say which key of hwrngd.conf is wrong, and what its file must contain.
[[nodiscard]] Result<LinkTo> serve_tls(const PemFile &certificate, const PemFile &key,
                                       const PemFile &authorities);

/// Returns the function that makes TLS 1.3 links with the server `host`, which is a name or a
/// numeric address. The server needs a certificate that one of the authorities signed and that
/// lists `host` as a subjectAltName. Our own certificate and key have empty paths if there are
/// none. Errors as above. Call receive() on a new link until it is ready().
[[nodiscard]] Result<LinkTo> reach_tls(const PemFile &authorities, const PemFile &certificate,
                                       const PemFile &key, const std::string &host);

} // namespace hwrngd
