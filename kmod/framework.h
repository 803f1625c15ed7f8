/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration with the hwrng framework, and workarounds for its bugs. They
 * store a value in hwrng->priv, which the framework reserves for the driver.
 */
#ifndef _FRAMEWORK_H
#define _FRAMEWORK_H

#include <linux/errno.h>
#include <linux/hw_random.h>
#include <linux/minmax.h>
#include <linux/printk.h>

/* H = 4 bits per byte: the claim that the cutoffs in health.h are made for. */
#define FRAMEWORK_QUALITY_MAX	512

/*
 * If another source is selected while khwrngd is inside our ->read, the
 * framework (at least 6.1 to 7.3) overwrites our quality with that of the other
 * source. Restore it when the source is no longer in use, and also when it is
 * used again: newer kernels clean up in a work item, which does nothing if the
 * source was selected again before it ran.
 *
 * ->init must exist for another reason too. Old kernels (6.1, not 6.12) read
 * from a source without ->init during its registration, and that read waits for
 * the read of the current source. If the current source stalls, modprobe hangs
 * for ever.
 */
static inline void framework_cleanup(struct hwrng *hwrng)
{
	/* 0 during the registration, which may lower the quality. */
	if (hwrng->priv)
		hwrng->quality = hwrng->priv;
}

static inline int framework_init(struct hwrng *hwrng)
{
	framework_cleanup(hwrng);
	return 0;
}

/*
 * Refuse 0: old kernels take it for no quality, new ones for the maximum. Refuse
 * more than the health tests can vouch for.
 */
static inline int framework_check_quality(const char *name,
					  unsigned short quality)
{
	if (quality && quality <= FRAMEWORK_QUALITY_MAX)
		return 0;

	pr_err("quality %u of %s is out of range: 1 to %u\n", quality, name,
	       FRAMEWORK_QUALITY_MAX);
	return -EINVAL;
}

/* Registers a source whose name and ->read are set, and logs the result. */
static inline int framework_register(struct hwrng *hwrng,
				     unsigned short quality, const char *what)
{
	int err;

	hwrng->init = framework_init;
	hwrng->cleanup = framework_cleanup;
	hwrng->quality = quality;
	hwrng->priv = 0;

	err = hwrng_register(hwrng);
	if (err) {
		pr_err("%s cannot be registered: %d\n", hwrng->name, err);
		return err;
	}

	/* The framework may have lowered the quality to its default_quality. */
	hwrng->priv = min(hwrng->quality, quality);
	pr_info("%s registered, %squality %lu\n", hwrng->name, what, hwrng->priv);

	return 0;
}

#endif /* _FRAMEWORK_H */
