// SPDX-License-Identifier: GPL-2.0-or-later
// A library that is preloaded into a daemon. It writes two durations to the file FIRST_FEED: the
// seconds from FIRST_FEED_START (seconds of CLOCK_MONOTONIC) until the daemon credited the kernel's
// pool with any bits, and with 256 bits. A tracer would slow down the daemon.
#include <fcntl.h>
#include <linux/random.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int report = -1;
static double start;
static int bits;

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("FIRST_FEED"), *time = getenv("FIRST_FEED_START");

	if (!file || !time)
		return;
	start = atof(time);
	// Open it now, before the daemon drops its rights.
	report = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
}

static void tell(const char *what)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	dprintf(report, "%s %.6f\n", what, now.tv_sec + now.tv_nsec / 1000000000.0 - start);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;
	long result;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	result = syscall(SYS_ioctl, fd, request, argument);
	if (result == 0 && request == RNDADDENTROPY && report >= 0 && bits < 256) {
		const int more = *(int *)argument;

		if (bits == 0 && more > 0)
			tell("any");
		bits += more;
		if (bits >= 256)
			tell("all");
	}
	return (int)result;
}
