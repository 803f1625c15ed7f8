/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults on demand, for tests: make HWRNGD_FAULTS=1. Modules built without it
 * contain none of this code.
 *
 * A fault changes the bytes of the hardware. Those that have a place in a window
 * are aligned to the window of their test, so that they can reach the cutoff of
 * one test exactly without failing another.
 */
#ifndef _FAULT_H
#define _FAULT_H

#include "health.h"

#ifdef HWRNGD_FAULTS

#include <linux/delay.h>
#include <linux/hw_random.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#define FAULT(name, description)					\
	static int fault_##name;					\
	module_param(fault_##name, int, 0600);				\
	MODULE_PARM_DESC(fault_##name, description " (tests only)")

FAULT(value, "Value of the byte that stick, bias and flap repeat");
FAULT(stick, "Number of such bytes in a row in each window of 512 bytes");
FAULT(bias, "Number of such bytes, never two in a row, in each window of 512 bytes");
FAULT(flap, "Number of good bytes after which 100 such bytes come, again and again");
FAULT(block, "Size of a block of bytes that is repeated, up to 1024");
FAULT(from, "Place of a word in the window of 64 words, 0 to 64");
FAULT(to, "Place of the word that is a copy of it, 1 to 64");
FAULT(counter, "1: each byte is a count of bytes; 8: each word is a count of words");
FAULT(free, "Place of the word in the window of 64 words in which fault_lanes are 1");
FAULT(stall, "Delay of each read in milliseconds");
FAULT(short, "Maximum number of bytes that a read returns");
FAULT(starve, "1: the hardware returns no data");
FAULT(error, "Error code that each read returns, as a positive number");
FAULT(empty, "1: each read returns 0 to the framework, which a driver must never do");
FAULT(spin, "Milliseconds for which each read keeps a CPU busy before it returns 0");
FAULT(bench, "Number of reads to time before the source is registered");

static unsigned long long fault_lanes;
module_param(fault_lanes, ullong, 0600);
MODULE_PARM_DESC(fault_lanes, "Bits of each word that are stuck at 0 (tests only)");

/* Bytes since one of the faults that change bytes was switched on. */
static unsigned long fault_at;

/*
 * Exactly so many bytes of fault_value in a window, and none by chance. Those in
 * a row are not in the first word, to which all words are compared.
 */
static inline u8 fault_window(const struct health *health, u8 byte, int i)
{
	static u8 before;
	int place = (health->seen + i) % HEALTH_PROPORTION_WINDOW;

	if ((place > 12 && place <= 12 + fault_stick) ||
	    (place % 2 == 0 && place / 2 < fault_bias))
		byte = fault_value;
	else
		while (byte == (u8)fault_value || byte == before)
			byte += 0x35;
	before = byte;

	return byte;
}

/* Faults of words: part is the byte's place in its word. */
static inline u8 fault_word(const struct health *health, u8 byte, int i)
{
	static u8 copy[8];
	int part = (health->part + i) % 8;
	int place = health->words + (health->part + i) / 8;
	u8 lanes = fault_lanes >> 8 * part;

	/* The last word of a window is also the first one of the next. */
	if (place > HEALTH_WORD_WINDOW)
		place -= HEALTH_WORD_WINDOW;
	if (fault_to && place == fault_to)
		byte = copy[part];
	if (place == fault_from || place == fault_from + HEALTH_WORD_WINDOW)
		copy[part] = byte;
	byte &= ~lanes;
	if (fault_free && place == fault_free)
		byte |= lanes;

	return byte;
}

static inline u8 fault_byte(const struct health *health, u8 byte, int i)
{
	static u8 block[1024];
	unsigned long at = ++fault_at;
	int size = min_t(int, fault_block, sizeof(block));

	if (fault_stick || fault_bias)
		byte = fault_window(health, byte, i);
	if (fault_to || fault_lanes)
		byte = fault_word(health, byte, i);

	if (size) {
		byte = at > size ? block[at % size] : byte;
		block[at % size] = byte;
	}
	if (fault_counter)
		byte = fault_counter == 1 ? at : at / 8 >> 8 * (at % 8);
	if (fault_flap && at % (fault_flap + 100) >= fault_flap)
		byte = fault_value;

	return byte;
}

/* Replaces the result of a read: len is its number of bytes, or an error. */
static inline int fault_inject(const struct health *health, u8 *data, int len)
{
	bool changed = fault_stick | fault_bias | fault_flap | fault_block |
		       fault_to | fault_counter || fault_lanes;
	int i;

	if (!changed)
		fault_at = 0;
	/* A quick way out, so that fault_bench measures the driver only. */
	if (!(fault_stall | fault_error | fault_starve | fault_short) && !changed)
		return len;

	if (fault_stall)
		msleep(fault_stall);
	if (fault_error)
		return -fault_error;
	if (fault_starve)
		return 0;
	if (fault_short)
		len = min(len, fault_short);
	for (i = 0; changed && i < len; i++)
		data[i] = fault_byte(health, data[i], i);

	return len;
}

/* Replaces ret by what a careless driver would return to the framework. */
static inline int fault_return(int ret)
{
	ktime_t end = ktime_add_ms(ktime_get(), fault_spin);

	if (!fault_empty && !fault_spin)
		return ret;

	while (fault_spin && ktime_before(ktime_get(), end) &&
	       !signal_pending(current))
		cond_resched();

	return 0;
}

/* Measures the driver's part of a read, without the framework's part. */
static inline void fault_bench_read(struct hwrng *hwrng)
{
	u64 start = ktime_get_ns();
	u8 data[64];
	int i;

	if (!fault_bench)
		return;
	for (i = 0; i < fault_bench; i++)
		if (hwrng->read(hwrng, data, sizeof(data), true) < 0)
			return;
	pr_info("%s: %llu ns for a read of 64 bytes\n", hwrng->name,
		div_u64(ktime_get_ns() - start, fault_bench));
}

#else

static inline int fault_return(int ret)
{
	return ret;
}

static inline void fault_bench_read(struct hwrng *hwrng)
{
}

static inline int fault_inject(const struct health *health, u8 *data, int len)
{
	return len;
}

#endif

#endif /* _FAULT_H */
