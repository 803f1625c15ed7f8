/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults on demand, for tests: make HWRNGD_FAULTS=1. Modules built without it
 * contain none of this code.
 *
 * The patterns are aligned to the window of the adaptive proportion test. So a
 * pattern can reach the cutoff of one test exactly, without failing the other.
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

FAULT(value, "Value of the byte that stick and bias repeat");
FAULT(stick, "Number of such bytes in a row in each window of 512 bytes");
FAULT(bias, "Number of such bytes, never two in a row, in each window of 512 bytes");
FAULT(stall, "Delay of each read in milliseconds");
FAULT(short, "Maximum number of bytes that a read returns");
FAULT(starve, "1: the hardware returns no data");
FAULT(error, "Error code that each read returns, as a positive number");
FAULT(empty, "1: each read returns 0 to the framework, which a driver must never do");
FAULT(spin, "Milliseconds for which each read keeps a CPU busy before it returns 0");
FAULT(bench, "Number of reads to time before the source is registered");

static inline u8 fault_byte(unsigned int i)
{
	if (fault_stick && i && i <= fault_stick)
		return fault_value;
	if (fault_bias && i % 2 == 0 && i / 2 < fault_bias)
		return fault_value;

	/* No value twice in a row; each of them eight times in a window. */
	return 0x20 + i % 64;
}

/* Replaces the result of a read: len is its number of bytes, or an error. */
static inline int fault_inject(const struct health *health, u8 *data, int len)
{
	int i;

	/* A quick way out, so that fault_bench measures the driver only. */
	if (!(fault_stall | fault_error | fault_starve | fault_short |
	      fault_stick | fault_bias))
		return len;

	if (fault_stall)
		msleep(fault_stall);
	if (fault_error)
		return -fault_error;
	if (fault_starve)
		return 0;
	if (fault_short)
		len = min(len, fault_short);
	if (fault_stick || fault_bias)
		for (i = 0; i < len; i++)
			data[i] = fault_byte((health->seen + i) %
					     HEALTH_PROPORTION_WINDOW);

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
