/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults on demand, for tests: make HWRNGD_FAULTS=1. The module as it is
 * shipped has none of this.
 *
 * The patterns are aligned to the window of the adaptive proportion test, so
 * that a test can be met exactly at its cutoff, and the other one left alone.
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

FAULT(value, "The byte that sticks or is too frequent");
FAULT(stick, "So many of that byte in a row in each window of 512");
FAULT(bias, "So many of that byte, none in a row, in each window of 512");
FAULT(stall, "Milliseconds that each read takes longer");
FAULT(short, "Bytes that a read returns at most");
FAULT(starve, "Nothing is returned");
FAULT(error, "The error that a read returns, as a positive number");
FAULT(empty, "0 is returned to the framework, as no driver should");
FAULT(spin, "Milliseconds that each read keeps a CPU busy, and in vain");
FAULT(bench, "Reads to time before the source is registered");

static inline u8 fault_byte(unsigned int i)
{
	if (fault_stick && i && i <= fault_stick)
		return fault_value;
	if (fault_bias && i % 2 == 0 && i / 2 < fault_bias)
		return fault_value;

	/* Never two in a row, and each one eight times in a window. */
	return 0x20 + i % 64;
}

/* What a read of len bytes, or an error, becomes. */
static inline int fault_inject(const struct health *health, u8 *data, int len)
{
	int i;

	/* Quick, for the sake of fault_bench. */
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

/* What a careless driver would return to the framework in place of ret. */
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

/* The driver's own part of a read, without the framework's. */
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
