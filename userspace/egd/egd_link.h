// SPDX-License-Identifier: GPL-2.0-or-later
// How bytes get from an EGD server to a client and back: as they are, or by TLS.
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

/// A connection on a socket that does not block, and that belongs to somebody else. Both calls are
/// as recv(2) and send(2), by errno too: with EAGAIN it waits for the other side, to send or to
/// take what this call is about; with EINPROGRESS, to take what must be sent first.
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
	/// There is something to receive, whatever the socket says.
	[[nodiscard]] virtual bool pending() const { return false; }
	/// Says good-bye; the socket is closed then.
	virtual void end() {}
	/// Both sides know each other.
	[[nodiscard]] virtual bool ready() const { return true; }
	/// What was wrong with the last call, where errno does not say enough; else empty.
	[[nodiscard]] virtual std::string trouble() const { return ""; }

private:
	int socket_;
};

/// Makes the link of a socket.
using LinkTo = std::function<std::unique_ptr<EgdLink>(int socket)>;

/// Of bytes as they are.
[[nodiscard]] inline std::unique_ptr<EgdLink> plain_link(int socket)
{
	return std::make_unique<EgdLink>(socket);
}

/// What is in a file in PEM; it is read where it lies, and not copied.
struct PemFile {
	std::string path; ///< for errors
	std::span<const uint8_t> text;
};

/// All of a file that is about to be given to the functions below, and of which no copy stays.
/// Whoever reads `file` next finds it whole; `what` names it in errors.
[[nodiscard]] Result<SecretBuffer> read_pem(const FileDescriptor &file, const std::string &what);

/// What makes links by TLS 1.3 with clients that have a certificate of one of the authorities. The
/// certificate may have the rest of its chain behind it. Errors (ExitCode::usage) say which key of
/// hwrngd.conf is wrong, and what its file is to have.
[[nodiscard]] Result<LinkTo> serve_tls(const PemFile &certificate, const PemFile &key,
                                       const PemFile &authorities);

/// What makes links by TLS 1.3 with server `host`, a name or an address in numbers, that has a
/// certificate of one of the authorities in which it stands as subjectAltName. What it is shown has
/// empty paths if there is none. Errors as above. To be received from until it is ready().
[[nodiscard]] Result<LinkTo> reach_tls(const PemFile &authorities, const PemFile &certificate,
                                       const PemFile &key, const std::string &host);

} // namespace hwrngd
