/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Health tests of a random source: NIST SP 800-90B, sections 4.3 and 4.4.
 *
 * We claim H = 4 bits of min-entropy per byte. A sound source of ours delivers
 * twice as much, because all of them condition their output. The false alarm
 * rate per sample is at most alpha = 2^-30 for a source that only just meets
 * the claim, and below 2^-60 for a sound source. The framework accepts no
 * quality above the claim. A lower quality means less trust in the source; it
 * must not make the tests weaker.
 *
 * Hardware fails by bytes, by words and by blocks, so the tests take samples of
 * all these sizes. A window that is a multiple of the size of a block would not
 * notice the block.
 *
 * Repetition count test (4.4.1), samples of a byte:
 *	C = 1 + ceil(-log2(alpha) / H) = 1 + ceil(30 / 4) = 9
 * Hardware typically fails with all zeros or all ones. For these two bytes the
 * cutoff is therefore 8. Under the claim, eight such bytes in a row have a
 * probability of 2^-31, which is below alpha too.
 *
 * Adaptive proportion test (4.4.2), samples of a byte, W = 512:
 *	C = 1 + CRITBINOM(W, 2^-H, 1 - alpha)
 * For X ~ binomial(512, 1/16): P(X >= 70) = 2^-29.98 and P(X >= 71) = 2^-31.27.
 * So C = 71.
 *
 * Repeated word, samples of 64 bits with H = 32:
 *	C = 1 + ceil(30 / 32) = 2
 * A word fails if it equals the word before, or the eighth word before: blocks
 * of 16, 32 and 64 bytes are the commonest. It also fails if it equals the word
 * with which a window of 64 words began, so that any block of up to 512 bytes
 * is found. (A block whose size is no multiple of 8 repeats after 8 blocks.)
 * The three comparisons have a probability of 2^-30.4 per word under the claim.
 *
 * Stuck bit: within 64 words, each bit of the words must change. This test goes
 * beyond the claim, which would permit constant bits: conditioned output has
 * none. A sound source fails with a probability of 2^-58 per window.
 *
 * Start-up test (4.3): before the source serves data, and again after each
 * failure, 1024 bytes must pass all tests. These bytes are discarded.
 *
 * A source that fails again and again is not given up to its readers: see
 * health_begin().
 */
#ifndef _HEALTH_H
#define _HEALTH_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/types.h>

#include <asm/byteorder.h>

#define HEALTH_REPETITION_CUTOFF	9
#define HEALTH_STUCK_CUTOFF		8
#define HEALTH_PROPORTION_WINDOW	512
#define HEALTH_PROPORTION_CUTOFF	71
#define HEALTH_WORD_WINDOW		64
#define HEALTH_STARTUP			1024

/* This many failures, with fewer good bytes in between, end the service. */
#define HEALTH_STRIKES			8
#define HEALTH_GOOD_BYTES		(64UL << 20)

/* What health_retest() asks of the next read */
#define HEALTH_RETEST			1
#define HEALTH_FORGIVE			2

enum health_test {
	HEALTH_REPETITION,
	HEALTH_PROPORTION,
	HEALTH_WORD,
	HEALTH_STUCK_BIT,
	HEALTH_TESTS,			/* number of tests; as a result: none failed */
};

struct health {
	const char *name;		/* of the source, for the log */
	unsigned int startup;		/* bytes left of the start-up test */

	unsigned int run;		/* equal bytes in a row */
	unsigned int seen;		/* bytes in this window */
	unsigned int count;		/* those equal to the first */
	u8 last;
	u8 first;

	u8 part;			/* bytes in word */
	unsigned int words;		/* in this window; 0: no word yet */
	u64 word;			/* a word that is not complete yet */
	u64 recent[8];			/* words; the next one's place is words % 8 */
	u64 first_word;			/* of the window */
	u64 changed;			/* bits that changed in this window */

	bool failed;			/* until it passes the start-up test again */
	unsigned int strikes;		/* failures that are not forgotten yet */
	unsigned long good;		/* bytes served since the last failure */
	u64 retry;			/* earliest next read, in jiffies */
	atomic_t requests;		/* see health_retest() */
	unsigned long failures[HEALTH_TESTS];
};

static inline void health_restart(struct health *health)
{
	WRITE_ONCE(health->startup, HEALTH_STARTUP);
	health->run = 0;
	health->seen = 0;
	health->part = 0;
	health->words = 0;
}

static inline void health_init(struct health *health, const char *name)
{
	memset(health, 0, sizeof(*health));
	health->name = name;
	health_restart(health);
}

/* Is the source not read any more until an administrator asks for it? */
static inline bool health_withdrawn(const struct health *health)
{
	return READ_ONCE(health->strikes) >= HEALTH_STRIKES &&
	       !(atomic_read(&health->requests) & HEALTH_FORGIVE);
}

/*
 * Makes the next read begin with a new start-up test. With forgive, earlier
 * failures are forgotten too. May be called at any time, in any context.
 */
static inline void health_retest(struct health *health, bool forgive)
{
	atomic_or(HEALTH_RETEST | (forgive ? HEALTH_FORGIVE : 0),
		  &health->requests);
}

/* Leaves the source alone for 2^n seconds, at most 64. */
static inline void health_hold(struct health *health, unsigned int n)
{
	health->retry = get_jiffies_64() + ((u64)HZ << min(n, 6U));
}

/**
 * health_begin() - decide whether the hardware may be read now
 * @health: the source's state; calls for one source must not overlap
 *
 * After its first failure a source may be tested again at once. After the
 * second one it is left alone for 1 s, after the third for 2 s, and so on.
 * After HEALTH_STRIKES failures it is withdrawn: until an administrator
 * intervenes, the hardware is not read. HEALTH_GOOD_BYTES of good bytes make up
 * for all earlier failures.
 *
 * Return: 0, or -EIO if the source must be left alone.
 */
static inline int health_begin(struct health *health)
{
	if (unlikely(atomic_read(&health->requests))) {
		int requests = atomic_xchg(&health->requests, 0);

		health_restart(health);
		if (requests & HEALTH_FORGIVE) {
			WRITE_ONCE(health->strikes, 0);
			health->retry = 0;
		}
	}
	if (unlikely(health->strikes >= HEALTH_STRIKES) ||
	    (unlikely(health->retry) && time_is_after_jiffies64(health->retry)))
		return -EIO;
	health->retry = 0;

	return 0;
}

/* Returns the test that the byte failed, or HEALTH_TESTS. */
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

/* Sets the high bit of each byte that is zero, and no other bit. */
static inline u64 health_zero_bytes(u64 word)
{
	const u64 low = HEALTH_ONES * 0x7f;

	return ~(((word & low) + low) | word | low);
}

/*
 * The same as health_sample() for each byte, but for eight at once. It stops
 * before a word with a byte that equals both bytes before it, and where the
 * count might reach its cutoff. Few words are like this. Returns the number of
 * bytes tested at the start of the data, none of which failed.
 */
static inline size_t health_skip(struct health *health, const u8 *data,
				 size_t len)
{
	u64 first = HEALTH_ONES * health->first;
	u64 last = health->last;
	u64 twice = health->run > 1 ? 0x80 : 0;
	u64 firsts = 0;
	size_t i;

	if (!health->run || !health->seen)
		return 0;

	len = min_t(size_t, len, HEALTH_PROPORTION_WINDOW - health->seen);
	len = min_t(size_t, len, HEALTH_PROPORTION_CUTOFF - 1 - health->count);
	for (i = 0; i + 8 <= len; i += 8) {
		__le64 raw;
		u64 word, equal;

		memcpy(&raw, data + i, sizeof(raw));
		word = le64_to_cpu(raw);
		equal = health_zero_bytes(word ^ (word << 8 | last));
		if (equal & (equal << 8 | twice))
			break;
		firsts += health_zero_bytes(word ^ first) >> 7;
		twice = equal >> 56;
		last = word >> 56;
	}

	if (i) {
		health->last = last;
		health->run = twice ? 2 : 1;
		health->seen = (health->seen + i) % HEALTH_PROPORTION_WINDOW;
		/* Each byte has a count of its own; they add up in the highest. */
		health->count += firsts * HEALTH_ONES >> 56;
	}

	return i;
}

/* Returns the test that the word failed, or HEALTH_TESTS. */
static inline enum health_test health_word(struct health *health, u64 word)
{
	u64 *recent = health->recent;
	unsigned int place = health->words % 8;
	u64 last = recent[(place + 7) % 8];

	if (!health->words) {
		health->first_word = word;
		health->changed = 0;
		memset64(recent, ~word, 8);
	} else {
		if (word == last || word == recent[place] ||
		    word == health->first_word)
			return HEALTH_WORD;
		health->changed |= word ^ last;
	}
	recent[place] = word;

	/* The last word of a window is also the first one of the next. */
	if (++health->words > HEALTH_WORD_WINDOW) {
		if (~health->changed)
			return HEALTH_STUCK_BIT;
		health->first_word = word;
		health->changed = 0;
		health->words = 1;
	}

	return HEALTH_TESTS;
}

static inline enum health_test health_bytes(struct health *health,
					    const u8 *data, size_t len)
{
	enum health_test test = HEALTH_TESTS;
	size_t i;

	for (i = 0; i < len && test == HEALTH_TESTS; i++) {
		i += health_skip(health, data + i, len - i);
		if (i < len)
			test = health_sample(health, data[i]);
	}

	return test;
}

/*
 * The same as health_word() for each word, but faster: the state is in registers.
 * Returns the number of words that passed; the next one must be tested by
 * health_word(), because it fails, or ends or begins a window.
 */
static inline size_t health_skip_words(struct health *health, const u8 *data,
				       size_t n)
{
	unsigned int words = health->words;
	u64 last = health->recent[(words + 7) % 8];
	u64 first = health->first_word;
	u64 changed = health->changed;
	size_t i;

	if (!words)
		return 0;

	n = min_t(size_t, n, HEALTH_WORD_WINDOW - words);
	for (i = 0; i < n; i++) {
		u64 *recent = &health->recent[(words + i) % 8];
		u64 word;

		memcpy(&word, data + 8 * i, sizeof(word));
		if (word == last || word == first || word == *recent)
			break;
		changed |= word ^ last;
		last = word;
		*recent = word;
	}
	health->words = words + i;
	health->changed = changed;

	return i;
}

/* A read may end inside a word; the next read then completes it. */
static inline enum health_test health_words(struct health *health,
					    const u8 *data, size_t len)
{
	enum health_test test = HEALTH_TESTS;
	size_t i = 0;

	while (i < len && test == HEALTH_TESTS) {
		if (!health->part)
			i += 8 * health_skip_words(health, data + i, (len - i) / 8);
		if (i == len)
			break;

		((u8 *)&health->word)[health->part++] = data[i++];
		if (health->part == sizeof(u64)) {
			health->part = 0;
			test = health_word(health, health->word);
		}
	}

	return test;
}

static inline void health_fail(struct health *health, enum health_test test)
{
	static const char * const names[] = {
		[HEALTH_REPETITION] = "repetition count",
		[HEALTH_PROPORTION] = "adaptive proportion",
		[HEALTH_WORD] = "repeated word",
		[HEALTH_STUCK_BIT] = "stuck bit",
	};

	health_restart(health);
	health->good = 0;
	WRITE_ONCE(health->failures[test], health->failures[test] + 1);
	WRITE_ONCE(health->strikes, health->strikes + 1);
	if (health->strikes > 1 && health->strikes < HEALTH_STRIKES)
		health_hold(health, health->strikes - 2);
	/* A broken source is tested again and again, so log this only once. */
	if (!health->failed)
		pr_err_ratelimited("%s failed the %s test, no data until it passes the start-up test\n",
				   health->name, names[test]);
	WRITE_ONCE(health->failed, true);
	if (health->strikes == HEALTH_STRIKES)
		pr_err("%s is withdrawn after %u failures; to test it again, write start-up to its attribute state\n",
		       health->name, health->strikes);
}

/**
 * health_test() - decide whether bytes of a source may be served
 * @health: the source's state, after health_begin() has returned 0
 * @data: the bytes; wiped unless they may be served
 * @len: number of bytes
 *
 * Return: 0 if they may be served, -EAGAIN if the start-up test used them,
 * -EIO if they failed a test.
 */
static inline int health_test(struct health *health, u8 *data, size_t len)
{
	enum health_test test = health_bytes(health, data, len);

	if (test == HEALTH_TESTS)
		test = health_words(health, data, len);
	if (test != HEALTH_TESTS) {
		memzero_explicit(data, len);
		health_fail(health, test);
		return -EIO;
	}

	if (health->startup) {
		memzero_explicit(data, len);
		WRITE_ONCE(health->startup, health->startup -
			   min_t(size_t, health->startup, len));
		if (!health->startup && health->failed) {
			pr_info_ratelimited("%s passed the start-up test again\n",
					    health->name);
			WRITE_ONCE(health->failed, false);
		}
		return -EAGAIN;
	}

	health->good += len;
	if (unlikely(health->strikes && health->good >= HEALTH_GOOD_BYTES))
		WRITE_ONCE(health->strikes, 0);

	return 0;
}

#endif /* _HEALTH_H */
