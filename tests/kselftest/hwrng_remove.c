// SPDX-License-Identifier: GPL-2.0-only
/*
 * A source disappears while it is read: its module is unloaded, or its TPM is
 * unplugged.
 */

#include "../kselftest_harness.h"
#include "hwrng.h"

#define READERS	8
/* Time for a TPM command in flight, with a reserve for a slow emulator. */
#define REMOVAL_MS	20000

FIXTURE(removal)
{
	atomic_bool stop;
	struct hwrng_reader *readers;
	bool may_break;		/* a read may fail with EIO */
};

FIXTURE_SETUP(removal)
{
	const struct hwrng_reader like = { .chunk = 64, .stop = &self->stop, .keep = 4096 };

	atomic_init(&self->stop, false);
	self->may_break = false;
	self->readers = hwrng_start(like, READERS);
	ASSERT_NE(NULL, self->readers);
}

static struct hwrng_reader stop_readers(atomic_bool *stop, struct hwrng_reader *readers)
{
	atomic_store(stop, true);
	hwrng_join(readers, READERS);
	return hwrng_sum(readers, READERS);
}

/* Checks what must hold for every reader, whatever happens to the source. */
FIXTURE_TEARDOWN(removal)
{
	struct hwrng_reader sum;

	if (!atomic_load(&self->stop))
		stop_readers(&self->stop, self->readers);
	sum = hwrng_sum(self->readers, READERS);
	TH_LOG("%lu reads gave data, %lu ENODEV, %lu EIO", sum.reads, sum.nodev, sum.broken);
	EXPECT_EQ(0, sum.error);
	EXPECT_EQ(0, sum.zeros + sum.oversized);
	EXPECT_EQ(0, sum.again + sum.intr);
	if (!self->may_break)
		EXPECT_EQ(0, sum.broken);
	EXPECT_LT(0, sum.reads);
	EXPECT_EQ(0, hwrng_repeated(self->readers, READERS));
}

/* Returns how many ms the command took, or -1 if it failed. */
static long run_timed(const char *command)
{
	long start = hwrng_ms();

	return hwrng_run(command) ? -1 : hwrng_ms() - start;
}

TEST_F_TIMEOUT(removal, of_cpu_rng, HWRNG_TIMEOUT)
{
	long took, longest = 0;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, hwrng_run("modprobe cpu_rng"));
		ASSERT_TRUE(hwrng_choose("cpu_rng.rdrand"));
		hwrng_sleep_ms(20);
		took = run_timed("rmmod cpu_rng");
		ASSERT_LE(0, took);
		longest = took > longest ? took : longest;
		ASSERT_FALSE(hwrng_is_available("cpu_rng.rdrand"));
	}
	TH_LOG("rmmod took %ld ms at most", longest);
	EXPECT_GT(REMOVAL_MS, longest);
}

TEST_F_TIMEOUT(removal, of_tpm_rng, HWRNG_TIMEOUT)
{
	long took, longest = 0;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, hwrng_run("modprobe tpm_rng duplicate=1"));
		ASSERT_TRUE(hwrng_choose("tpm_rng.0"));
		hwrng_sleep_ms(20);
		took = run_timed("rmmod tpm_rng");
		ASSERT_LE(0, took);
		longest = took > longest ? took : longest;
		ASSERT_FALSE(hwrng_is_available("tpm_rng.0"));
	}
	TH_LOG("rmmod took %ld ms at most", longest);
	EXPECT_GT(REMOVAL_MS, longest);
}

/* Without a source readers get ENODEV; with a new one they are served again. */
TEST_F_TIMEOUT(removal, of_the_only_source, HWRNG_TIMEOUT)
{
	struct hwrng_reader sum;
	char data[64];
	int i, fd;

	ASSERT_EQ(0, hwrng_run("rmmod virtio_rng"));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, hwrng_run("modprobe cpu_rng"));
		hwrng_sleep_ms(20);
		ASSERT_EQ(0, hwrng_run("rmmod cpu_rng"));
		fd = open(HWRNG_DEV, O_RDONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-1, read(fd, data, sizeof(data)));
		EXPECT_EQ(ENODEV, errno);
		ASSERT_EQ(0, hwrng_run("modprobe cpu_rng"));
		EXPECT_LT(0, read(fd, data, sizeof(data)));
		close(fd);
		ASSERT_EQ(0, hwrng_run("rmmod cpu_rng"));
	}
	ASSERT_EQ(0, hwrng_run("modprobe virtio_rng"));
	hwrng_sleep_ms(100);
	sum = stop_readers(&self->stop, self->readers);
	EXPECT_LT(0, sum.nodev);
}

static pid_t start_tpm(const char *folder)
{
	char state[64];
	pid_t pid;

	snprintf(state, sizeof(state), "dir=%s", folder);
	pid = fork();
	if (!pid) {
		/* No log, because its messages would mix with ours. */
		execlp("swtpm", "swtpm", "chardev", "--vtpm-proxy", "--tpm2", "--tpmstate", state,
		       "--flags", "not-need-init,startup-clear", "--log", "file=/dev/null", NULL);
		_exit(127);
	}
	return pid;
}

static bool wait_available(const char *rng, bool wanted, long ms)
{
	long start = hwrng_ms();

	while (hwrng_is_available(rng) != wanted) {
		if (hwrng_ms() - start > ms)
			return false;
		hwrng_sleep_ms(5);
	}
	return true;
}

/*
 * The TPM driver gives up if it gets no answer within two seconds, which can
 * happen on a busy host. This test is not about that, so try again.
 */
static pid_t plug(const char *folder, const char *rng)
{
	int attempt;
	pid_t tpm;

	for (attempt = 0; attempt < 4; attempt++) {
		tpm = start_tpm(folder);
		if (tpm < 0 || wait_available(rng, true, 15000))
			return tpm;
		kill(tpm, SIGKILL);
		waitpid(tpm, NULL, 0);
		printf("# no TPM appeared in attempt %d\n", attempt + 1);
	}
	return -1;
}

TEST_F_TIMEOUT(removal, of_the_tpm, HWRNG_TIMEOUT)
{
	char folder[] = "/tmp/tpm-XXXXXX";
	long start, took, longest = 0;
	pid_t tpm;
	int i;

	if (hwrng_run("command -v swtpm >/dev/null 2>&1"))
		SKIP(return, "swtpm is missing, which emulates a second TPM");
	/* The command in flight fails, and so do reads before the source is gone. */
	self->may_break = true;
	ASSERT_NE(NULL, mkdtemp(folder));
	ASSERT_EQ(0, hwrng_run("modprobe tpm_vtpm_proxy && modprobe tpm_rng duplicate=1"));
	for (i = 0; i < 3; i++) {
		tpm = plug(folder, "tpm_rng.1");
		ASSERT_LT(0, tpm);
		ASSERT_TRUE(hwrng_choose("tpm_rng.1"));
		hwrng_sleep_ms(100);
		start = hwrng_ms();
		/* SIGTERM is like unplugging the TPM, SIGKILL like a crash. */
		kill(tpm, i % 2 ? SIGTERM : SIGKILL);
		ASSERT_EQ(tpm, waitpid(tpm, NULL, 0));
		EXPECT_TRUE(wait_available("tpm_rng.1", false, 30000));
		took = hwrng_ms() - start;
		longest = took > longest ? took : longest;
	}
	TH_LOG("the source was gone after %ld ms at most", longest);
	EXPECT_GT(REMOVAL_MS, longest);
	EXPECT_EQ(0, hwrng_run("rmmod tpm_rng tpm_vtpm_proxy"));
}

TEST_HARNESS_MAIN
