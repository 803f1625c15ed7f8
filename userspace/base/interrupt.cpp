// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/interrupt.h"

#include <atomic>
#include <csignal>
#include <cstdlib>

namespace hwrngd {

namespace {

std::atomic<int> caught = 0; // NOLINT: a signal handler needs a global variable
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler needs a lock-free atomic");

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
		action.sa_handler = on_signal; // without SA_RESTART, so that a blocked read(2) ends
		if (sigaction(number, &action, nullptr) < 0)
			return fail_errno(errno, "sigaction");
	}
	return {};
}

int interrupted() noexcept
{
	return caught;
}

void interrupt_reads(int number) noexcept
{
	caught = number;
}

void die_of_interrupt()
{
	const int number = caught != 0 ? caught.load() : SIGINT;
	std::signal(number, SIG_DFL);
	std::raise(number);
	std::_Exit(128 + number); // reached only if the signal is blocked
}

} // namespace hwrngd
