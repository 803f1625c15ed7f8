/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration with the hwrng framework, and workarounds for its bugs. They
 * store a value in hwrng->priv, which the framework reserves for the driver.
 */
#ifndef _FRAMEWORK_H
#define _FRAMEWORK_H

#include <linux/errno.h>
#include <linux/hw_random.h>
#include <linux/printk.h>

/*
 * Does nothing, but must exist. Old kernels (6.1, not 6.12) read from a source
 * without ->init during its registration, and that read waits for the read of
 * the current source. If the current source stalls, modprobe hangs for ever.
 */
static inline int framework_init(struct hwrng *hwrng)
{
	return 0;
}

/*
 * If another source is selected while khwrngd is inside our ->read, the
 * framework (at least 6.1 to 7.3) overwrites our quality with that of the other
 * source. Restore it here, when the source is no longer in use.
 */
static inline void framework_cleanup(struct hwrng *hwrng)
{
	hwrng->quality = hwrng->priv;
}

/* Refuse 0: old kernels take it for no quality, new ones for the maximum. */
static inline int framework_check_quality(const char *name,
					  unsigned short quality)
{
	if (quality && quality <= 1024)
		return 0;

	pr_err("quality %u of %s is out of range: 1 to 1024\n", quality, name);
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
	hwrng->priv = quality;

	err = hwrng_register(hwrng);
	if (err) {
		pr_err("%s cannot be registered: %d\n", hwrng->name, err);
		return err;
	}

	/* The framework may have lowered the quality to its default_quality. */
	hwrng->priv = hwrng->quality;
	pr_info("%s registered, %squality %lu\n", hwrng->name, what, hwrng->priv);

	return 0;
}

#endif /* _FRAMEWORK_H */
