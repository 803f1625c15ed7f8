// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads of /dev/hwrng, served by cpu_rng: many at a time, of odd sizes,
 * nonblocking, and interrupted.
 */

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <linux/random.h>

#include "../kselftest_harness.h"
#include "hwrng.h"

#define SOURCE	"cpu_rng.rdrand"
#define THREADS	64
/* More than any source delivers before the signal arrives. */
#define BIG	(64UL << 20)

static void on_signal(int signal)
{
	(void)signal;
}

/* Without SA_RESTART: read() must return. */
static void catch_signal(int signal)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(signal, &action, NULL);
}

FIXTURE(read)
{
	int fd;
};

FIXTURE_SETUP(read)
{
	ASSERT_EQ(0, hwrng_run("modprobe cpu_rng"));
	ASSERT_TRUE(hwrng_select(SOURCE));
	self->fd = open(HWRNG_DEV, O_RDONLY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(read)
{
	close(self->fd);
	EXPECT_EQ(0, hwrng_run("rmmod cpu_rng"));
}

TEST_F_TIMEOUT(read, by_64_threads, HWRNG_TIMEOUT)
{
	const struct hwrng_reader like = { .chunk = 64, .want = 2048, .keep = 2048 };
	struct hwrng_reader *readers, sum;

	readers = hwrng_start(like, THREADS);
	ASSERT_NE(NULL, readers);
	hwrng_join(readers, THREADS);
	sum = hwrng_sum(readers, THREADS);
	EXPECT_EQ(0, sum.error);
	EXPECT_EQ(0, sum.zeros);
	EXPECT_EQ(0, sum.oversized);
	EXPECT_EQ(0, sum.again + sum.intr + sum.nodev + sum.broken);
	EXPECT_EQ(THREADS * 2048, sum.kept);
	EXPECT_EQ(0, hwrng_repeated(readers, THREADS));
}

/* The leftovers of a read must be served once, by the next read. */
TEST_F_TIMEOUT(read, of_odd_sizes, HWRNG_TIMEOUT)
{
	static const size_t chunks[] = { 1, 2, 3, 7, 31, 33, 63, 65, 100, 4097 };
	struct hwrng_reader readers[ARRAY_SIZE(chunks)] = { 0 }, sum;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(chunks); i++) {
		readers[i].chunk = chunks[i];
		readers[i].want = 1024;
		readers[i].keep = 8192;
		readers[i].data = malloc(8192);
		ASSERT_NE(NULL, readers[i].data);
		hwrng_read_loop(&readers[i]);
	}
	sum = hwrng_sum(readers, ARRAY_SIZE(chunks));
	EXPECT_EQ(0, sum.error);
	EXPECT_EQ(0, sum.zeros);
	EXPECT_EQ(0, sum.oversized);
	EXPECT_LE(ARRAY_SIZE(chunks) * 1024, sum.kept);
	EXPECT_EQ(0, hwrng_repeated(readers, ARRAY_SIZE(chunks)));
}

TEST_F_TIMEOUT(read, without_blocking, HWRNG_TIMEOUT)
{
	atomic_bool stop = false;
	struct hwrng_reader like = { .chunk = 4096, .stop = &stop, .keep = 2048 };
	struct hwrng_reader *blocking, *nonblocking, sum;

	blocking = hwrng_start(like, 4);
	like.flags = O_NONBLOCK;
	like.chunk = 64;
	nonblocking = hwrng_start(like, 4);
	ASSERT_NE(NULL, blocking);
	ASSERT_NE(NULL, nonblocking);
	hwrng_sleep_ms(1000);
	atomic_store(&stop, true);
	hwrng_join(blocking, 4);
	hwrng_join(nonblocking, 4);
	sum = hwrng_sum(nonblocking, 4);
	TH_LOG("%lu reads gave data, %lu EAGAIN", sum.reads, sum.again);
	EXPECT_EQ(0, sum.error);
	EXPECT_EQ(0, sum.zeros);
	EXPECT_LT(0, sum.reads);
	EXPECT_EQ(0, sum.intr + sum.nodev + sum.broken);
	EXPECT_EQ(0, hwrng_repeated(nonblocking, 4));
	EXPECT_EQ(0, hwrng_sum(blocking, 4).zeros);
}

TEST_F_TIMEOUT(read, cut_short_by_a_signal, HWRNG_TIMEOUT)
{
	void *data = malloc(BIG);
	long start = hwrng_ms();
	ssize_t len;

	ASSERT_NE(NULL, data);
	catch_signal(SIGUSR1);
	if (!fork()) {
		hwrng_sleep_ms(500);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	len = read(self->fd, data, BIG);
	TH_LOG("%zd bytes in %ld ms", len, hwrng_ms() - start);
	EXPECT_LT(0, len);
	EXPECT_GT((ssize_t)BIG, len);
	EXPECT_GT(5000, hwrng_ms() - start);
	wait(NULL);
	EXPECT_EQ(64, read(self->fd, data, 64));
}

TEST_F_TIMEOUT(read, ended_by_sigkill, HWRNG_TIMEOUT)
{
	long start;
	pid_t pid;
	int status;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		void *data = malloc(BIG);

		_exit(data && read(self->fd, data, BIG) < 0);
	}
	hwrng_sleep_ms(300);
	start = hwrng_ms();
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_GT(5000, hwrng_ms() - start);
}

/* A signal every millisecond may delay data, but must not lose or repeat any. */
TEST_F_TIMEOUT(read, under_a_rain_of_signals, HWRNG_TIMEOUT)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { 0 };
	atomic_bool stop = false;
	const struct hwrng_reader like = { .chunk = 128, .stop = &stop, .keep = 4096 };
	struct hwrng_reader *readers, sum;

	catch_signal(SIGPROF);
	readers = hwrng_start(like, 8);
	ASSERT_NE(NULL, readers);
	setitimer(ITIMER_PROF, &often, NULL);
	hwrng_sleep_ms(1000);
	setitimer(ITIMER_PROF, &never, NULL);
	atomic_store(&stop, true);
	hwrng_join(readers, 8);
	sum = hwrng_sum(readers, 8);
	TH_LOG("%lu reads gave data, %lu EINTR", sum.reads, sum.intr);
	EXPECT_EQ(0, sum.error);
	EXPECT_EQ(0, sum.zeros);
	EXPECT_EQ(0, sum.again + sum.nodev + sum.broken);
	EXPECT_LT(0, sum.reads);
	EXPECT_EQ(0, hwrng_repeated(readers, 8));
}

TEST_F(read, to_a_bad_address)
{
	void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char data[64];

	ASSERT_NE(MAP_FAILED, nowhere);
	EXPECT_EQ(-1, read(self->fd, nowhere, 64));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(64, read(self->fd, data, sizeof(data)));
}

/* The device has no ioctls, and does not forward any to /dev/random. */
TEST_F(read, ioctl_is_refused)
{
	int value = 8;

	EXPECT_EQ(-1, ioctl(self->fd, RNDGETENTCNT, &value));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->fd, RNDADDTOENTCNT, &value));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->fd, 0, NULL));
	EXPECT_EQ(ENOTTY, errno);
}

TEST_F(read, writing_is_refused)
{
	EXPECT_EQ(-1, open(HWRNG_DEV, O_WRONLY));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, open(HWRNG_DEV, O_RDWR));
	EXPECT_EQ(EINVAL, errno);
}

TEST_HARNESS_MAIN
