// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another source is selected again and again while /dev/hwrng is read.
 *
 * Skipped on kernels before 5.11. They deadlock if a source with a quality is
 * replaced by one without, while khwrngd is reading. The file rng_quality
 * exists only in kernels that have the fix.
 */

#include "../kselftest_harness.h"
#include "hwrng.h"

#define DEADLOCKS	"this kernel's hwrng framework deadlocks if the source changes during a read"

static const char *const sources[] = { "cpu_rng.rdrand", "tpm_rng.0", "virtio_rng.0" };

FIXTURE(switching)
{
	int unused;
};

FIXTURE_SETUP(switching)
{
	ASSERT_EQ(0, hwrng_run("modprobe cpu_rng && modprobe tpm_rng duplicate=1"));
}

FIXTURE_TEARDOWN(switching)
{
	EXPECT_EQ(0, hwrng_run("rmmod cpu_rng tpm_rng"));
}

TEST_F_TIMEOUT(switching, under_readers, HWRNG_TIMEOUT)
{
	atomic_bool stop = false;
	struct hwrng_reader like = { .chunk = 96, .stop = &stop, .keep = 4096 };
	struct hwrng_reader *readers, *nonblocking, sum;
	unsigned int chosen = 0, refused = 0;
	long start;

	if (!hwrng_has_file("rng_quality"))
		SKIP(return, DEADLOCKS);

	readers = hwrng_start(like, 8);
	like.flags = O_NONBLOCK;
	nonblocking = hwrng_start(like, 2);
	ASSERT_NE(NULL, readers);
	ASSERT_NE(NULL, nonblocking);
	for (start = hwrng_ms(); hwrng_ms() - start < 3000; chosen++)
		refused += !hwrng_choose(sources[chosen % ARRAY_SIZE(sources)]);
	atomic_store(&stop, true);
	hwrng_join(readers, 8);
	hwrng_join(nonblocking, 2);

	sum = hwrng_sum(readers, 8);
	TH_LOG("%u choices, %lu reads", chosen, sum.reads);
	EXPECT_LT(0, chosen);
	EXPECT_EQ(0, refused);
	EXPECT_EQ(0, sum.error);
	EXPECT_EQ(0, sum.zeros + sum.oversized);
	EXPECT_EQ(0, sum.again + sum.intr + sum.nodev + sum.broken);
	EXPECT_EQ(0, hwrng_repeated(readers, 8));

	sum = hwrng_sum(nonblocking, 2);
	EXPECT_EQ(0, sum.error);
	EXPECT_EQ(0, sum.zeros + sum.oversized);
	EXPECT_EQ(0, hwrng_repeated(nonblocking, 2));
}

/* The framework has a bug that can give one source's quality to another. */
TEST_F_TIMEOUT(switching, leaves_qualities_alone, HWRNG_TIMEOUT)
{
	static const char *const expected[] = { "4", "512" };
	atomic_bool stop = false;
	const struct hwrng_reader like = { .chunk = 64, .stop = &stop, .keep = 1 };
	struct hwrng_reader *readers;
	unsigned int i;

	if (!hwrng_has_file("rng_quality"))
		SKIP(return, DEADLOCKS);

	readers = hwrng_start(like, 2);
	ASSERT_NE(NULL, readers);
	for (i = 0; i < 50; i++)
		EXPECT_TRUE(hwrng_choose(sources[i % ARRAY_SIZE(sources)]));
	atomic_store(&stop, true);
	hwrng_join(readers, 2);
	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		EXPECT_TRUE(hwrng_choose(sources[i]));
		EXPECT_STREQ(expected[i], hwrng_file("rng_quality"));
	}
}

TEST_HARNESS_MAIN
