// SPDX-License-Identifier: GPL-2.0-only
/*
 * TPM chips as hwrng sources
 *
 * A chip with device number N becomes tpm_rng.N, unless the kernel already
 * serves it (CONFIG_HW_RANDOM_TPM) or the chip should be left alone. A class
 * interface reports chips that are added or removed at run time.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/hw_random.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/suspend.h>
#include <linux/tpm.h>
#include <linux/workqueue.h>

#include "fault.h"
#include "framework.h"
#include "health.h"
#include "stats.h"

/*
 * While a command runs, which may take two seconds, every reader of every hwrng
 * waits. So ask for no more than a TPM 2.0 returns for one command: 64 bytes,
 * the size of a SHA-512 digest.
 */
#define TPM_RNG_READ_MAX	64

/*
 * After three failures in a row the driver does not read the chip for 1 s. Each
 * further failure doubles this time, up to 64 s.
 */
#define TPM_RNG_FAILURES	3
#define TPM_RNG_FAILURES_MAX	9

/* Time until the start-up test is repeated; doubles with each failure. */
#define TPM_RNG_OFFER_DELAY	HZ
#define TPM_RNG_OFFER_DELAY_MAX	(64 * HZ)

struct tpm_rng {
	struct hwrng hwrng;
	struct health health;
	struct stats *stats;
	struct tpm_chip *chip;
	char name[16];
	struct delayed_work offer;
	unsigned long offer_delay;
	bool registered;
	bool gone;
	unsigned int failures;		/* in a row */
	u64 retry;			/* earliest next read, in jiffies */
};

static unsigned short quality = 512;
module_param(quality, ushort, 0444);
MODULE_PARM_DESC(quality,
		 "Bits of entropy credited per 1024 bits, 1 to 1024 (default 512)");

static bool duplicate;
module_param(duplicate, bool, 0444);
MODULE_PARM_DESC(duplicate,
		 "Also serve chips that the kernel serves itself (default N)");

static bool force;
module_param(force, bool, 0444);
MODULE_PARM_DESC(force,
		 "Also serve AMD firmware TPMs, which may make the machine stutter (default N)");

/*
 * A command that follows the request to save the chip's state spoils that
 * state. User space is frozen by then, but khwrngd and other kernel code that
 * reads a source are not. Readers hold this lock for one command, so that a
 * suspend begins after the last command.
 */
static DECLARE_RWSEM(tpm_rng_suspend_lock);
static bool tpm_rng_suspended;

static int tpm_rng_pm_notify(struct notifier_block *nb, unsigned long event,
			     void *unused)
{
	down_write(&tpm_rng_suspend_lock);
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		tpm_rng_suspended = true;
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		tpm_rng_suspended = false;
		break;
	}
	up_write(&tpm_rng_suspend_lock);

	return NOTIFY_OK;
}

static struct notifier_block tpm_rng_pm_notifier = {
	.notifier_call = tpm_rng_pm_notify,
};

/*
 * Runs one command. Returns the number of bytes, which have passed the health
 * tests, -EAGAIN if the start-up test used them, or another error.
 */
static int tpm_rng_fetch(struct tpm_rng *rng, u8 *data, size_t len)
{
	int ret, err;

	if (rng->failures >= TPM_RNG_FAILURES &&
	    time_is_after_jiffies64(rng->retry))
		return -EIO;

	if (rng->failures)
		stats_add(&rng->stats->retries, 1);

	down_read(&tpm_rng_suspend_lock);
	/* Kernel threads only: if user processes run, the chip is awake. */
	if (tpm_rng_suspended && (current->flags & PF_KTHREAD)) {
		up_read(&tpm_rng_suspend_lock);
		return -EBUSY;
	}
	ret = tpm_get_random(rng->chip, data, len);
	up_read(&tpm_rng_suspend_lock);
	ret = fault_inject(&rng->health, data, ret);

	if (ret > 0 && ret <= len) {
		rng->failures = 0;
		WRITE_ONCE(rng->stats->backoff, false);
		err = health_test(&rng->health, data, ret);
		return err ?: ret;
	}

	/* Some bytes may have arrived before the failure. */
	memzero_explicit(data, len);
	if (!rng->failures)
		pr_warn_ratelimited("%s: the TPM returns no random bytes: %d\n",
				    rng->name, ret);
	if (rng->failures < TPM_RNG_FAILURES_MAX)
		rng->failures++;
	if (rng->failures >= TPM_RNG_FAILURES) {
		rng->retry = get_jiffies_64() +
			     (HZ << (rng->failures - TPM_RNG_FAILURES));
		WRITE_ONCE(rng->stats->backoff, true);
	}

	/* Errors of the transport (-EPIPE, -ETIME, ...) go only into the log. */
	return ret == -ENODEV ? ret : -EIO;
}

/*
 * A TPM either returns bytes or fails, so there is nothing to wait for. Never
 * returns 0: the framework would call again immediately, for ever.
 */
static int tpm_rng_read(struct hwrng *hwrng, void *data, size_t max, bool wait)
{
	struct tpm_rng *rng = container_of(hwrng, struct tpm_rng, hwrng);
	u64 start = ktime_get_ns();
	int ret;

	/* Otherwise each waiting reader delays the removal by one command. */
	if (READ_ONCE(rng->gone))
		return -ENODEV;

	ret = tpm_rng_fetch(rng, data, min_t(size_t, max, TPM_RNG_READ_MAX));

	/* After a failure, each read runs one step of the start-up test. */
	if (ret == -EAGAIN)
		ret = -EIO;
	stats_read(rng->stats, start, ret);

	return ret;
}

static int tpm_rng_start(struct tpm_rng *rng)
{
	u8 data[TPM_RNG_READ_MAX];
	int ret;

	/* Each round advances the start-up test, or ends it with an error. */
	do {
		ret = tpm_rng_fetch(rng, data, sizeof(data));
	} while (ret == -EAGAIN && !READ_ONCE(rng->gone));
	memzero_explicit(data, sizeof(data));

	return ret < 0 ? ret : 0;
}

/*
 * Returns only errors of the start-up test. Others would not go away with a
 * retry.
 */
static int tpm_rng_offer(struct tpm_rng *rng)
{
	bool tpm2 = rng->chip->flags & TPM_CHIP_FLAG_TPM2;
	int err = tpm_rng_start(rng);

	if (!err)
		rng->registered = !framework_register(&rng->hwrng, quality,
						      tpm2 ? "TPM 2.0, " : "TPM 1.2, ");

	return err;
}

static void tpm_rng_offer_work(struct work_struct *work)
{
	struct tpm_rng *rng = container_of(to_delayed_work(work),
					   struct tpm_rng, offer);

	if (!tpm_rng_offer(rng))
		return;

	rng->offer_delay = min_t(unsigned long, 2 * rng->offer_delay,
				 TPM_RNG_OFFER_DELAY_MAX);
	schedule_delayed_work(&rng->offer, rng->offer_delay);
}

static bool tpm_rng_wanted(struct tpm_chip *chip)
{
	if (tpm_is_firmware_upgrade(chip)) {
		pr_info("tpm%d is left alone: it is in firmware upgrade mode\n",
			chip->dev_num);
		return false;
	}
	if (chip->hwrng.read && !duplicate) {
		pr_info("tpm%d is left alone: the kernel already serves it as %s\n",
			chip->dev_num, chip->hwrng_name);
		return false;
	}
	if (tpm_is_hwrng_disabled(chip) && !force) {
		pr_info("tpm%d is left alone: reading an AMD firmware TPM makes the machine stutter\n",
			chip->dev_num);
		return false;
	}

	return true;
}

/* Waits for the command in flight; after it, the chip is no longer read. */
static void tpm_rng_release(struct device *dev, void *res)
{
	struct tpm_rng *rng = res;

	WRITE_ONCE(rng->gone, true);
	cancel_delayed_work_sync(&rng->offer);
	if (rng->registered)
		hwrng_unregister(&rng->hwrng);
	stats_destroy(rng->stats);
}

/*
 * The source is a device resource of the chip, by which remove_dev finds it.
 * It needs no reference to the chip: the class reports the removal before the
 * chip loses its operations, and waits for us.
 */
static int tpm_rng_add_dev(struct device *dev)
{
	struct tpm_chip *chip = container_of(dev, struct tpm_chip, dev);
	struct tpm_rng *rng;
	int err;

	if (!tpm_rng_wanted(chip))
		return 0;

	rng = devres_alloc(tpm_rng_release, sizeof(*rng), GFP_KERNEL);
	if (!rng)
		return -ENOMEM;

	rng->chip = chip;
	snprintf(rng->name, sizeof(rng->name), KBUILD_MODNAME ".%d",
		 chip->dev_num);
	rng->hwrng.name = rng->name;
	rng->hwrng.read = tpm_rng_read;
	rng->offer_delay = TPM_RNG_OFFER_DELAY;
	INIT_DELAYED_WORK(&rng->offer, tpm_rng_offer_work);

	health_init(&rng->health, rng->name);
	rng->stats = stats_create(rng->name, &rng->health);
	if (!rng->stats) {
		devres_free(rng);
		return -ENOMEM;
	}

	devres_add(dev, rng);
	err = tpm_rng_offer(rng);
	if (err) {
		pr_err("%s is not registered yet, start-up test failed: %d\n",
		       rng->name, err);
		schedule_delayed_work(&rng->offer, rng->offer_delay);
	}

	return 0;
}

static void tpm_rng_remove_dev(struct device *dev)
{
	/* -ENOENT if the chip was left alone. */
	devres_release(dev, tpm_rng_release, NULL, NULL);
}

static struct class_interface tpm_rng_interface = {
	.add_dev = tpm_rng_add_dev,
	.remove_dev = tpm_rng_remove_dev,
};

/*
 * The TPM class is not exported, so take it from a chip. If there is no chip,
 * refuse to load; udev will load the module when one appears. Do not refuse
 * because of chips that are left alone: a usable one may appear later.
 */
static int __init tpm_rng_init(void)
{
	struct tpm_chip *chip;
	int err;

	err = framework_check_quality("each TPM", quality);
	if (err)
		return err;

	chip = tpm_default_chip();
	if (!chip)
		return -ENODEV;
	tpm_rng_interface.class = chip->dev.class;
	put_device(&chip->dev);

	err = register_pm_notifier(&tpm_rng_pm_notifier);
	if (err)
		return err;

	err = class_interface_register(&tpm_rng_interface);
	if (err)
		unregister_pm_notifier(&tpm_rng_pm_notifier);

	return err;
}
module_init(tpm_rng_init);

static void __exit tpm_rng_exit(void)
{
	class_interface_unregister(&tpm_rng_interface);
	unregister_pm_notifier(&tpm_rng_pm_notifier);
}
module_exit(tpm_rng_exit);

MODULE_DESCRIPTION("TPM chips as hwrng sources");
MODULE_AUTHOR("hwrngd developers");
MODULE_LICENSE("GPL");
