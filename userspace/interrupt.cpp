// SPDX-License-Identifier: GPL-2.0-or-later
#include "interrupt.h"

#include <csignal>
#include <cstdlib>

namespace hwrngd {

namespace {

volatile std::sig_atomic_t caught = 0; // NOLINT: a signal handler can reach nothing else

extern "C" void on_signal(int number)
{
	caught = number;
}

} // namespace

Result<void> catch_interrupts()
{
	for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
		struct sigaction old = {};
		struct sigaction action = {};
		if (sigaction(number, nullptr, &old) < 0)
			return fail_errno(errno, "sigaction");
		if (old.sa_handler == SIG_IGN)
			continue;
		action.sa_handler = on_signal; // without SA_RESTART: a blocked read(2) ends
		if (sigaction(number, &action, nullptr) < 0)
			return fail_errno(errno, "sigaction");
	}
	return {};
}

int interrupted() noexcept
{
	return caught;
}

void die_of_interrupt()
{
	const int number = caught != 0 ? caught : SIGINT;
	std::signal(number, SIG_DFL);
	std::raise(number);
	std::_Exit(128 + number); // only if the signal is blocked
}

} // namespace hwrngd
