// SPDX-License-Identifier: GPL-2.0-only
/*
 * The current source no longer returns data: one reader waits inside its
 * driver, and the others wait for that reader. It must be possible to interrupt
 * and kill them.
 */

#include <sys/time.h>

#include "../kselftest_harness.h"
#include "hwrng.h"

static void on_signal(int signal)
{
	(void)signal;
}

FIXTURE(starved)
{
	int fd;
};

FIXTURE_SETUP(starved)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	self->fd = open(HWRNG_DEV, O_RDONLY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(starved)
{
	close(self->fd);
}

static void interrupt_after(long ms)
{
	if (!fork()) {
		hwrng_sleep_ms(ms);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
}

TEST_F(starved, reader_is_interrupted)
{
	long start = hwrng_ms();
	char data[64];

	interrupt_after(500);
	EXPECT_EQ(-1, read(self->fd, data, sizeof(data)));
	EXPECT_EQ(EINTR, errno);
	EXPECT_LE(500, hwrng_ms() - start);
	EXPECT_GT(5000, hwrng_ms() - start);
}

TEST_F(starved, reader_is_killed)
{
	char data[64];
	long start;
	pid_t pid;
	int status;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(read(self->fd, data, sizeof(data)) < 0);
	hwrng_sleep_ms(500);
	ASSERT_EQ(0, waitpid(pid, &status, WNOHANG));
	start = hwrng_ms();
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_GT(5000, hwrng_ms() - start);
}

/* It may still wait for the mutex. But 0 would mean the end of the file. */
TEST_F(starved, nonblocking_reader_is_not_told_the_end)
{
	char data[64];
	int fd;

	fd = open(HWRNG_DEV, O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, fd);
	interrupt_after(500);
	EXPECT_EQ(-1, read(fd, data, sizeof(data)));
	EXPECT_TRUE(errno == EAGAIN || errno == EINTR)
		TH_LOG("errno %d", errno);
	close(fd);
}

TEST_F(starved, sysfs_answers)
{
	long start = hwrng_ms();

	EXPECT_STREQ("virtio_rng.0", hwrng_file("rng_current"));
	EXPECT_TRUE(hwrng_is_available("virtio_rng.0"));
	EXPECT_GT(5000, hwrng_ms() - start);
}

TEST_HARNESS_MAIN
