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
 * waits. A TPM 2.0 returns no more than its largest digest for one command, and
 * tpm_get_random() sends up to six commands until it has all bytes. So ask for
 * no more than every TPM 2.0 can return at once: 32 bytes, a SHA-256 digest.
 */
#define TPM_RNG_READ_MAX	32
#define TPM_RNG_COMMANDS	6

/*
 * After three failures in a row the driver does not read the chip for 1 s. Each
 * further failure doubles this time, up to 64 s.
 */
#define TPM_RNG_FAILURES	3

struct tpm_rng {
	struct hwrng hwrng;
	struct health health;
	struct stats *stats;
	struct tpm_chip *chip;
	char name[16];
	struct delayed_work offer;
	unsigned int offers;		/* that failed */
	bool registered;
	bool gone;
	size_t ask;			/* bytes that take one command */
	unsigned int failures;		/* in a row */
};

static unsigned short quality = 512;
module_param(quality, ushort, 0444);
MODULE_PARM_DESC(quality,
		 "Bits of entropy credited per 1024 bits, 1 to 512 (default 512)");

static bool duplicate;
module_param(duplicate, bool, 0444);
MODULE_PARM_DESC(duplicate,
		 "Also serve chips that the kernel serves itself (default N)");

static bool force;
module_param(force, bool, 0444);
MODULE_PARM_DESC(force,
		 "Also serve AMD firmware TPMs, which may make the machine stutter (default N)");

/* Runs the start-up tests. */
static struct workqueue_struct *tpm_rng_queue;

/* Has there been a chip that is not left alone? */
static bool tpm_rng_wanted_any;

/*
 * A command that follows the request to save the chip's state spoils that
 * state. User space is frozen by then, but khwrngd and other kernel code that
 * reads a source are not. Readers hold this lock while the chip works for them,
 * so that a suspend begins after the last command.
 */
static DECLARE_RWSEM(tpm_rng_suspend_lock);
static bool tpm_rng_suspended;

static int tpm_rng_pm_notify(struct notifier_block *nb, unsigned long event,
			     void *unused)
{
	down_write(&tpm_rng_suspend_lock);
	/* Each of these events is followed by another one, which ends it. */
	tpm_rng_suspended = event == PM_SUSPEND_PREPARE ||
			    event == PM_HIBERNATION_PREPARE ||
			    event == PM_RESTORE_PREPARE;
	up_write(&tpm_rng_suspend_lock);

	return NOTIFY_OK;
}

static struct notifier_block tpm_rng_pm_notifier = {
	.notifier_call = tpm_rng_pm_notify,
};

/*
 * Asks the chip once, which takes one command (up to six until the driver knows
 * that the chip returns little). Returns the number of bytes, which have passed
 * the health tests, -EAGAIN if the start-up test used them, or another error.
 */
static int tpm_rng_fetch(struct tpm_rng *rng, u8 *data, size_t len)
{
	int ret, err = health_begin(&rng->health);

	if (err)
		return err;
	if (rng->failures)
		stats_add(&rng->stats->retries, 1);
	len = min(len, rng->ask);
	down_read(&tpm_rng_suspend_lock);
	/* Kernel threads only: if user processes run, the chip is awake. */
	if (tpm_rng_suspended && (current->flags & PF_KTHREAD)) {
		up_read(&tpm_rng_suspend_lock);
		return -EBUSY;
	}
	ret = tpm_get_random(rng->chip, data, len);
	up_read(&tpm_rng_suspend_lock);
	ret = fault_inject(&rng->health, data, ret);

	if (ret <= 0) {
		/* Some bytes may have arrived before the failure. */
		memzero_explicit(data, len);
		if (!rng->failures++)
			pr_warn_ratelimited("%s: the TPM returns no random bytes: %d\n",
					    rng->name, ret);
		if (rng->failures >= TPM_RNG_FAILURES) {
			health_hold(&rng->health,
				    rng->failures - TPM_RNG_FAILURES);
			WRITE_ONCE(rng->stats->trouble, "back-off");
		}
		/* The transport's own errors (-ETIME, ...) only go to the log. */
		return ret == -ENODEV ? ret : -EIO;
	}

	if (ret < len)
		rng->ask = DIV_ROUND_UP(ret, TPM_RNG_COMMANDS);
	rng->failures = 0;
	WRITE_ONCE(rng->stats->trouble, NULL);

	return health_test(&rng->health, data, ret) ?: ret;
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

	ret = tpm_rng_fetch(rng, data, max);

	/* After a failure, each read runs one step of the start-up test. */
	if (ret == -EAGAIN)
		ret = -EIO;
	stats_read(rng->stats, start, ret);

	return ret;
}

/*
 * Offers the chip to the framework once it has passed the start-up test. This
 * takes 32 commands, so it must not delay the driver that has found the chip.
 */
static void tpm_rng_offer(struct work_struct *work)
{
	struct tpm_rng *rng = container_of(to_delayed_work(work),
					   struct tpm_rng, offer);
	u8 data[TPM_RNG_READ_MAX];
	int ret;

	/* Each round advances the start-up test, or ends it with an error. */
	do {
		ret = tpm_rng_fetch(rng, data, sizeof(data));
	} while (ret == -EAGAIN && !READ_ONCE(rng->gone));
	memzero_explicit(data, sizeof(data));

	if (ret < 0) {
		if (!rng->offers)
			pr_err("%s is not registered yet, start-up test failed: %d\n",
			       rng->name, ret);
		queue_delayed_work(tpm_rng_queue, &rng->offer,
				   HZ << min(rng->offers++, 6U));
		return;
	}

	/* An error would not go away with a retry. */
	if (framework_register(&rng->hwrng, quality,
			       rng->chip->flags & TPM_CHIP_FLAG_TPM2 ?
			       "TPM 2.0, " : "TPM 1.2, "))
		WRITE_ONCE(rng->stats->trouble, "unregistered");
	else
		rng->registered = true;
}

static bool tpm_rng_wanted(struct tpm_chip *chip)
{
	const char *why = NULL;

	if (tpm_is_firmware_upgrade(chip))
		why = "it is in firmware upgrade mode";
	else if (chip->hwrng.read && !duplicate)
		why = "the kernel already serves it";
	else if (tpm_is_hwrng_disabled(chip) && !force)
		why = "reading an AMD firmware TPM makes the machine stutter";
	if (why)
		pr_info("tpm%d is left alone: %s\n", chip->dev_num, why);

	return !why;
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
	/* The tests keep words of the output. */
	memzero_explicit(&rng->health, sizeof(rng->health));
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

	if (!tpm_rng_wanted(chip))
		return 0;

	rng = devres_alloc(tpm_rng_release, sizeof(*rng), GFP_KERNEL);
	if (!rng)
		return -ENOMEM;

	rng->chip = chip;
	rng->ask = TPM_RNG_READ_MAX;
	snprintf(rng->name, sizeof(rng->name), "tpm_rng.%d", chip->dev_num);
	rng->hwrng.name = rng->name;
	rng->hwrng.read = tpm_rng_read;
	INIT_DELAYED_WORK(&rng->offer, tpm_rng_offer);

	health_init(&rng->health, rng->name);
	rng->stats = stats_create(rng->name, &rng->health);
	if (!rng->stats) {
		devres_free(rng);
		return -ENOMEM;
	}

	devres_add(dev, rng);
	tpm_rng_wanted_any = true;
	queue_delayed_work(tpm_rng_queue, &rng->offer, 0);

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

static void tpm_rng_exit(void)
{
	class_interface_unregister(&tpm_rng_interface);
	unregister_pm_notifier(&tpm_rng_pm_notifier);
	destroy_workqueue(tpm_rng_queue);
}
module_exit(tpm_rng_exit);

/*
 * The TPM class is not exported, so take it from a chip. If there is no chip, or
 * if all chips are left alone, refuse to load: udev loads the module when
 * another chip appears.
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

	tpm_rng_queue = alloc_workqueue(KBUILD_MODNAME, WQ_UNBOUND, 0);
	if (!tpm_rng_queue)
		return -ENOMEM;

	err = register_pm_notifier(&tpm_rng_pm_notifier);
	if (err)
		goto out_queue;

	err = class_interface_register(&tpm_rng_interface);
	if (err)
		goto out_notifier;

	if (!tpm_rng_wanted_any) {
		tpm_rng_exit();
		return -ENODEV;
	}

	/* modprobe waits until the chips that are present have been tested. */
	flush_workqueue(tpm_rng_queue);

	return 0;

out_notifier:
	unregister_pm_notifier(&tpm_rng_pm_notifier);
out_queue:
	destroy_workqueue(tpm_rng_queue);
	return err;
}
module_init(tpm_rng_init);

MODULE_DESCRIPTION("TPM chips as hwrng sources");
MODULE_AUTHOR("hwrngd developers");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
