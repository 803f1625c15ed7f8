// SPDX-License-Identifier: GPL-2.0-or-later
#include "pull/pump.h"

#include "base/interrupt.h"
#include "base/secret_buffer.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>

namespace hwrngd {

namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds forever{-1};

/// Waits up to `limit` for these events on a pipe, or for its reader to close it. Returns true if
/// the reader is still there and no signal was caught.
Result<bool> wait(int pipe, int events, Milliseconds limit)
{
	struct pollfd waited = {.fd = pipe, .events = static_cast<short>(events), .revents = 0};
	while (interrupted() == 0 && ::poll(&waited, 1, static_cast<int>(limit.count())) < 0)
		if (errno != EINTR)
			return fail_errno(errno, "standard output");
	return interrupted() == 0 && (waited.revents & (POLLERR | POLLNVAL)) == 0;
}

Milliseconds random_pause(Milliseconds least, Milliseconds most)
{
	static std::random_device device; // not for secrets
	return Milliseconds(
	    std::uniform_int_distribution<Milliseconds::rep>(least.count(), most.count())(device));
}

/// Returns true if the pipe still has a reader.
Result<bool> write_all(int pipe, std::span<const uint8_t> bytes)
{
	while (!bytes.empty()) {
		const auto n = ::write(pipe, bytes.data(), bytes.size());
		if (n < 0 && errno == EPIPE)
			return false;
		if (n < 0 && errno != EINTR)
			return fail_errno(errno, "standard output");
		bytes = bytes.subspan(static_cast<size_t>(std::max<ssize_t>(n, 0)));
	}
	return true;
}

} // namespace

Result<void> pump(Peer &peer, int out, const Pace &pace, const Tell &tell)
{
	// A pipe of one page becomes writable only when it is empty.
	constexpr int page = 4096;
	if (fcntl(out, F_SETPIPE_SZ, page) < 0)
		return fail(ExitCode::usage, "standard output is not a pipe: hwrngd starts this program");
	SecretBuffer bytes(Peer::most_at_once);
	std::string told;
	auto pause = pace.first_pause;
	auto reads = wait(out, 0, random_pause(Milliseconds(0), pace.first_pause));
	while (reads && *reads) {
		reads = wait(out, POLLOUT, forever);
		if (!reads || !*reads)
			break;
		const auto got = peer.pull(bytes.span(), pace.answer);
		if (interrupted() != 0)
			break;
		if (!got) {
			if (told != got.error().message)
				tell(&got.error());
			told = got.error().message;
			reads = wait(out, 0, random_pause(pause / 2, pause));
			pause = std::min(2 * pause, pace.longest_pause);
			continue;
		}
		if (!told.empty())
			tell(nullptr);
		told.clear();
		pause = pace.first_pause;
		reads = write_all(out, bytes.span().first(*got));
		explicit_bzero(bytes.span().data(), *got);
	}
	if (!reads)
		return std::unexpected(reads.error());
	return {};
}

} // namespace hwrngd
