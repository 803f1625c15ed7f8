// SPDX-License-Identifier: GPL-2.0-only
/*
 * TPM chips as hwrng sources
 *
 * Each chip becomes tpm_rng.N, N being its device number, unless the kernel
 * serves it already (CONFIG_HW_RANDOM_TPM) or it should be left alone. Chips
 * may come and go: a class interface tells of them.
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
 * Every reader of every hwrng waits while a command runs, which may take two
 * seconds. 64 bytes, a digest of SHA-512, are the most that a TPM 2.0 returns
 * for one.
 */
#define TPM_RNG_READ_MAX	64

/*
 * A chip that failed three times in a row is left alone for 1 s, and twice as
 * long each time it fails again, up to 64 s.
 */
#define TPM_RNG_FAILURES	3
#define TPM_RNG_FAILURES_MAX	9

/* A chip that did not pass its start-up test is tried again after so long. */
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
	u64 retry;			/* not before, in jiffies */
};

static unsigned short quality = 512;
module_param(quality, ushort, 0444);
MODULE_PARM_DESC(quality,
		 "Bits of entropy credited per 1024 bits, 1 to 1024 (default 512)");

static bool duplicate;
module_param(duplicate, bool, 0444);
MODULE_PARM_DESC(duplicate,
		 "Serve also chips that the kernel serves itself (default N)");

static bool force;
module_param(force, bool, 0444);
MODULE_PARM_DESC(force,
		 "Serve also firmware TPMs of AMD, which may make the machine stutter (default N)");

/*
 * A command after the chip was told to save its state spoils that state. User
 * space is frozen by then, but khwrngd is not, nor is anything in the kernel
 * that selects a source. Readers hold this for one command, so that a suspend
 * begins after the last one.
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
 * One command. Returns the number of bytes, all of them tested, -EAGAIN if the
 * start-up test took them, or another error.
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
	/* A user that runs means that the chip does: spare it the error. */
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

	/* Some bytes may have come before it failed. */
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

	/* What befell the transport (-EPIPE, -ETIME, ...) is for the log alone. */
	return ret == -ENODEV ? ret : -EIO;
}

/*
 * A TPM always has bytes, or fails, so that waiting is of no use. Never 0: the
 * framework would call again at once, without end.
 */
static int tpm_rng_read(struct hwrng *hwrng, void *data, size_t max, bool wait)
{
	struct tpm_rng *rng = container_of(hwrng, struct tpm_rng, hwrng);
	u64 start = ktime_get_ns();
	int ret;

	/* Each reader in the queue would delay the removal by one command. */
	if (READ_ONCE(rng->gone))
		return -ENODEV;

	ret = tpm_rng_fetch(rng, data, min_t(size_t, max, TPM_RNG_READ_MAX));

	/* After a failed test, one step of the start-up test per read. */
	if (ret == -EAGAIN)
		ret = -EIO;
	stats_read(rng->stats, start, ret);

	return ret;
}

static int tpm_rng_start(struct tpm_rng *rng)
{
	u8 data[TPM_RNG_READ_MAX];
	int ret;

	/* Each round takes some bytes off the start-up test or ends it. */
	do {
		ret = tpm_rng_fetch(rng, data, sizeof(data));
	} while (ret == -EAGAIN && !READ_ONCE(rng->gone));
	memzero_explicit(data, sizeof(data));

	return ret < 0 ? ret : 0;
}

/* An error of the start-up test only; no other goes away by itself. */
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
		pr_info("tpm%d is left alone: it waits for new firmware\n",
			chip->dev_num);
		return false;
	}
	if (chip->hwrng.read && !duplicate) {
		pr_info("tpm%d is left alone: the kernel serves it as %s\n",
			chip->dev_num, chip->hwrng_name);
		return false;
	}
	if (tpm_is_hwrng_disabled(chip) && !force) {
		pr_info("tpm%d is left alone: reading a firmware TPM of AMD makes the machine stutter\n",
			chip->dev_num);
		return false;
	}

	return true;
}

/* Waits for the command in flight; then nobody reads the chip. */
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
 * The source is a resource of the chip's device, to be found again when that
 * goes. It needs no reference: the class tells of the removal before the chip
 * loses its operations, and waits for us.
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
		pr_err("%s waits: start-up test failed: %d\n", rng->name, err);
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
 * The TPM class is not exported, so it is taken from a chip. Without any,
 * refuse, so that udev loads the module when one arrives. Chips that are left
 * alone do not make it refuse: another may follow them.
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
