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

constexpr Milliseconds for_ever{-1};

/// Waits for these events on a pipe, and for its reader to go. Returns whether it is still there,
/// and nobody wants us to end.
Result<bool> wait(int pipe, int events, Milliseconds limit)
{
	struct pollfd waited = {.fd = pipe, .events = static_cast<short>(events), .revents = 0};
	while (interrupted() == 0 && ::poll(&waited, 1, static_cast<int>(limit.count())) < 0)
		if (errno != EINTR)
			return fail_errno(errno, "standard output");
	return interrupted() == 0 && (waited.revents & (POLLERR | POLLNVAL)) == 0;
}

Milliseconds by_chance(Milliseconds least, Milliseconds most)
{
	static std::random_device chance; // for nothing secret
	return Milliseconds(
	    std::uniform_int_distribution<Milliseconds::rep>(least.count(), most.count())(chance));
}

/// Returns whether somebody still reads.
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
	// Of one page, which is ready to be written to when it is empty, and not before.
	constexpr int page = 4096;
	if (fcntl(out, F_SETPIPE_SZ, page) < 0)
		return fail(ExitCode::usage, "standard output is no pipe: hwrngd starts this");
	SecretBuffer bytes(Peer::most_at_once);
	std::string told;
	auto pause = pace.first_pause;
	auto reads = wait(out, 0, by_chance(Milliseconds(0), pace.first_pause));
	while (reads && *reads) {
		reads = wait(out, POLLOUT, for_ever);
		if (!reads || !*reads)
			break;
		const auto got = peer.pull(bytes.span(), pace.answer);
		if (interrupted() != 0)
			break;
		if (!got) {
			if (told != got.error().message)
				tell(&got.error());
			told = got.error().message;
			reads = wait(out, 0, by_chance(pause / 2, pause));
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
