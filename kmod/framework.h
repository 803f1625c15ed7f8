/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration with the hwrng framework, with remedies for what it does to its
 * sources. They use hwrng->priv, which the framework leaves to the driver.
 */
#ifndef _FRAMEWORK_H
#define _FRAMEWORK_H

#include <linux/errno.h>
#include <linux/hw_random.h>
#include <linux/printk.h>

/*
 * Nothing to do. But old kernels (6.1, not 6.12) also read from a source that
 * has no ->init while it registers, behind whoever is being read: modprobe would
 * hang for ever if that one stalls.
 */
static inline int framework_init(struct hwrng *hwrng)
{
	return 0;
}

/*
 * While khwrngd is inside ->read, selecting another source makes the framework
 * (at least 6.1 to 7.3) write that one's quality into this one's. Nobody uses
 * the source any more when this is called, so put its own back.
 */
static inline void framework_cleanup(struct hwrng *hwrng)
{
	hwrng->quality = hwrng->priv;
}

/* 0 would mean nothing, or everything, as the kernel is old or new. */
static inline int framework_check_quality(const char *name,
					  unsigned short quality)
{
	if (quality && quality <= 1024)
		return 0;

	pr_err("quality %u of %s is not within 1 to 1024\n", quality, name);
	return -EINVAL;
}

/* For a source that has its name and ->read. Says what becomes of it. */
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

	/* The framework may have lowered it to its own default_quality. */
	hwrng->priv = hwrng->quality;
	pr_info("%s registered, %squality %lu\n", hwrng->name, what, hwrng->priv);

	return 0;
}

#endif /* _FRAMEWORK_H */
