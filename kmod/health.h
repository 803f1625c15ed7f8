/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Health tests of a random source: NIST SP 800-90B, sections 4.3 and 4.4.
 *
 * A sample is a byte. We claim H = 4 bits of min-entropy per sample. A sound
 * source of ours delivers twice as much, because all of them condition their
 * output. The false alarm rate per sample is at most alpha = 2^-30 for a source
 * that only just meets the claim, and below 2^-60 for a sound source.
 *
 * The claim is independent of the quality that an administrator sets. A lower
 * quality means less trust in the source. It must not make the tests weaker.
 *
 * Repetition count test (4.4.1):
 *	C = 1 + ceil(-log2(alpha) / H) = 1 + ceil(30 / 4) = 9
 * Hardware typically fails with words of all zeros or all ones. For these two
 * bytes the cutoff is therefore 8. Under the claim, eight equal bytes have a
 * probability of 2^-32, which is below alpha too.
 *
 * Adaptive proportion test (4.4.2), W = 512 samples:
 *	C = 1 + CRITBINOM(W, 2^-H, 1 - alpha)
 * For X ~ binomial(512, 1/16): P(X >= 70) = 2^-29.98 and P(X >= 71) = 2^-31.27.
 * So C = 71.
 *
 * Start-up test (4.3): before the source serves data, and again after each
 * failure, 1024 samples must pass both tests. These samples are discarded.
 */
#ifndef _HEALTH_H
#define _HEALTH_H

#include <asm/byteorder.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/types.h>

#define HEALTH_REPETITION_CUTOFF	9
#define HEALTH_STUCK_CUTOFF		8
#define HEALTH_PROPORTION_WINDOW	512
#define HEALTH_PROPORTION_CUTOFF	71
#define HEALTH_STARTUP			1024

enum health_test {
	HEALTH_REPETITION,
	HEALTH_PROPORTION,
	HEALTH_TESTS,			/* number of tests; as a result: none failed */
};

struct health {
	const char *name;		/* of the source, for the log */
	unsigned int startup;		/* samples left of the start-up test */
	unsigned int run;		/* equal samples in a row */
	unsigned int seen;		/* samples in this window */
	unsigned int count;		/* those equal to the first */
	u8 last;
	u8 first;
	bool failed;			/* until it passes the start-up test again */
	unsigned long failures[HEALTH_TESTS];
};

static inline void health_restart(struct health *health)
{
	health->startup = HEALTH_STARTUP;
	health->run = 0;
	health->seen = 0;
}

static inline void health_init(struct health *health, const char *name)
{
	memset(health, 0, sizeof(*health));
	health->name = name;
	health_restart(health);
}

/* Returns the test that the sample failed, or HEALTH_TESTS. */
static inline enum health_test health_sample(struct health *health, u8 sample)
{
	unsigned int cutoff = HEALTH_REPETITION_CUTOFF;

	if (!health->run || sample != health->last) {
		health->last = sample;
		health->run = 0;
	}
	if (sample == 0x00 || sample == 0xff)
		cutoff = HEALTH_STUCK_CUTOFF;
	if (++health->run >= cutoff)
		return HEALTH_REPETITION;

	if (!health->seen) {
		health->first = sample;
		health->count = 0;
	}
	if (sample == health->first &&
	    ++health->count >= HEALTH_PROPORTION_CUTOFF)
		return HEALTH_PROPORTION;
	if (++health->seen == HEALTH_PROPORTION_WINDOW)
		health->seen = 0;

	return HEALTH_TESTS;
}

#define HEALTH_ONES	0x0101010101010101ULL

/* Sets the high bit of the lowest zero byte, and perhaps of bytes above it. */
static inline u64 health_zero_byte(u64 word)
{
	return (word - HEALTH_ONES) & ~word & (HEALTH_ONES << 7);
}

/*
 * A sample that differs both from the sample before and from the first one of
 * the window cannot fail a test. Most samples are like this, and eight can be
 * checked at once. Returns the number of such samples at the start of the data;
 * a rest of less than eight is not checked.
 */
static inline size_t health_skip(struct health *health, const u8 *data,
				 size_t len)
{
	u64 first = HEALTH_ONES * health->first;
	u64 last = health->last;
	size_t i;

	if (!health->run || !health->seen)
		return 0;

	len = min_t(size_t, len, HEALTH_PROPORTION_WINDOW - health->seen);
	for (i = 0; i + 8 <= len; i += 8) {
		__le64 raw;
		u64 word, notable;

		memcpy(&raw, data + i, sizeof(raw));
		word = le64_to_cpu(raw);
		notable = health_zero_byte(word ^ (word << 8 | last)) |
			  health_zero_byte(word ^ first);
		if (notable) {
			i += __ffs64(notable) / 8;
			break;
		}
		last = word >> 56;
	}

	if (i) {
		health->last = data[i - 1];
		health->run = 1;
		health->seen = (health->seen + i) % HEALTH_PROPORTION_WINDOW;
	}

	return i;
}

/**
 * health_test() - decide whether bytes of a source may be served
 * @health: the source's state; calls for one source must not overlap
 * @data: the bytes; wiped unless they may be served
 * @len: number of bytes
 *
 * Return: 0 if they may be served, -EAGAIN if the start-up test used them,
 * -EIO if they failed a test.
 */
static inline int health_test(struct health *health, u8 *data, size_t len)
{
	static const char * const names[] = {
		[HEALTH_REPETITION] = "repetition count",
		[HEALTH_PROPORTION] = "adaptive proportion",
	};
	enum health_test test = HEALTH_TESTS;
	size_t i;

	for (i = 0; i < len && test == HEALTH_TESTS; i++) {
		i += health_skip(health, data + i, len - i);
		if (i < len)
			test = health_sample(health, data[i]);
	}

	if (test != HEALTH_TESTS) {
		memzero_explicit(data, len);
		health_restart(health);
		WRITE_ONCE(health->failures[test], health->failures[test] + 1);
		/* A broken source is retried for ever, so log this only once. */
		if (!health->failed)
			pr_err("%s failed the %s test, no data until it passes the start-up test\n",
			       health->name, names[test]);
		health->failed = true;
		return -EIO;
	}

	if (health->startup) {
		memzero_explicit(data, len);
		health->startup -= min_t(size_t, health->startup, len);
		if (!health->startup && health->failed) {
			pr_info("%s passed the start-up test again\n", health->name);
			health->failed = false;
		}
		return -EAGAIN;
	}

	return 0;
}

#endif /* _HEALTH_H */
