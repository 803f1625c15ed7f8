// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_failing FILE PARAMETERS: loads a module again and again. Each time
 * another allocation of the kernel fails: the first, the second, and so on,
 * until a load needs fewer allocations. If the load fails, nothing of the module
 * may stay; if it succeeds, the module must be removable.
 *
 * Needs CONFIG_FAULT_INJECTION with failslab. The module must not be loaded at
 * the start.
 */

#include <sys/syscall.h>

#include "../kselftest.h"
#include "hwrng.h"

/* Many more than a load of our modules needs. */
#define ALLOCATIONS_MAX	5000

static int nth_fd;

/* Makes the Nth allocation of this task from now on fail; 0: none. */
static bool fail_nth(int n)
{
	char number[16];
	int len = snprintf(number, sizeof(number), "%d", n);

	return pwrite(nth_fd, number, len, 0) == len;
}

/* Returns 0 once the failure has happened. */
static int failures_left(void)
{
	char number[16] = "";

	return pread(nth_fd, number, sizeof(number) - 1, 0) > 0 ? atoi(number) : -1;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

int main(int argc, char **argv)
{
	int n, fd, err, left, failed = 0, survived = 0, errors = 0;
	char name[64], path[128];
	const char *base;

	ksft_print_header();
	if (argc < 3)
		ksft_exit_fail_msg("usage: load_failing FILE PARAMETERS\n");
	/* Include allocations that may sleep, which are most of them. */
	if (!write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") ||
	    !write_file("/sys/kernel/debug/failslab/verbose", "0"))
		ksft_exit_skip("this kernel cannot make allocations fail\n");
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (nth_fd < 0)
		ksft_exit_skip("this kernel cannot count allocations\n");
	ksft_set_plan(4);

	base = strrchr(argv[1], '/');
	snprintf(name, sizeof(name), "%s", base ? base + 1 : argv[1]);
	name[strcspn(name, ".")] = '\0';
	snprintf(path, sizeof(path), "/sys/module/%s", name);

	for (n = 1; n < ALLOCATIONS_MAX; n++) {
		fd = open(argv[1], O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			ksft_exit_fail_msg("%s: %s\n", argv[1], strerror(errno));
		if (!fail_nth(n))
			ksft_exit_fail_msg("fail-nth: %s\n", strerror(errno));
		err = syscall(SYS_finit_module, fd, argv[2], 0) ? errno : 0;
		left = failures_left();
		fail_nth(0);
		close(fd);
		if (err) {
			failed++;
			if (err != ENOMEM && errors++ < 10)
				ksft_print_msg("allocation %d: %s\n", n, strerror(err));
			if (!access(path, F_OK))
				ksft_exit_fail_msg("allocation %d failed, module stays loaded\n",
						   n);
		} else {
			survived += !left;
			if (syscall(SYS_delete_module, name, O_NONBLOCK))
				ksft_exit_fail_msg("allocation %d failed, unloading too: %s\n",
						   n, strerror(errno));
		}
		if (left)
			break;
	}
	ksft_print_msg("%s: %d allocations; %d loads failed, %d succeeded nevertheless\n",
		       name, n - 1, failed, survived);
	ksft_test_result(n > 1 && n < ALLOCATIONS_MAX, "each allocation failed once\n");
	ksft_test_result(failed > 0, "a load can fail\n");
	ksft_test_result(!err, "the module loads if no allocation fails\n");
	ksft_test_result(access(path, F_OK), "nothing of the module stays\n");
	ksft_finished();
}
