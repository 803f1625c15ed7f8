// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random number instructions of the CPU as hwrng sources
 *
 * The kernel itself takes only a little from these instructions, at boot and
 * at reseeds. As hwrng sources they can also be selected, measured and used to
 * feed the kernel. Each has its own name: cpu_rng.rdseed, cpu_rng.rdrand, etc.
 *
 * The module has no alias, so no machine loads it by itself: to trust the CPU
 * is the administrator's decision (see random.trust_cpu).
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/hw_random.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include "cpu_insn.h"
#include "fault.h"
#include "framework.h"
#include "health.h"
#include "stats.h"

/*
 * Enough batches for the whole start-up test even when the framework makes its
 * shortest reads, with a reserve for an instruction that is starved.
 */
#define CPU_RNG_BATCHES		(HEALTH_STARTUP / 32 + 8)

struct cpu_rng {
	struct hwrng hwrng;
	struct health health;
	struct stats *stats;
	const struct cpu_insn *insn;
	struct delayed_work offer;
	unsigned int offers;		/* that failed */
	bool registered;
};

static struct cpu_rng cpu_rngs[ARRAY_SIZE(cpu_insns)];

static bool force;
module_param(force, bool, 0444);
MODULE_PARM_DESC(force,
		 "Also serve instructions that are known to be unreliable (default N)");

static int cpu_rng_fill(struct cpu_rng *rng, void *data, size_t max, bool wait)
{
	int batch, len, err;

	err = health_begin(&rng->health);
	if (err)
		return err;

	for (batch = 0; batch < CPU_RNG_BATCHES; batch++) {
		len = rng->insn->fill(data, max / sizeof(long)) * sizeof(long);
		len = fault_inject(&rng->health, data, len);
		if (len <= 0) {
			stats_add(&rng->stats->retries, 1);
			if (!wait)
				return 0;
			usleep_range(50, 100);
			continue;
		}

		err = health_test(&rng->health, data, len);
		if (!err)
			return len;
		if (err != -EAGAIN)
			return err;
	}

	/* Not 0: the framework would call again immediately, for ever. */
	return -ENODATA;
}

/* The framework calls this for one reader at a time. */
static int cpu_rng_read(struct hwrng *hwrng, void *data, size_t max, bool wait)
{
	struct cpu_rng *rng = container_of(hwrng, struct cpu_rng, hwrng);
	u64 start = 0;
	int ret;

	/* Reading the clock can take as long as the read: time one in 32. */
	if (!(rng->stats->reads % 32))
		start = ktime_get_ns();
	ret = cpu_rng_fill(rng, data, max, wait);
	stats_read(rng->stats, start, ret);

	return fault_return(ret == -ENODATA ? -EIO : ret);
}

/*
 * Offers the instruction to the framework once it has passed the start-up test.
 * Other users of the CPU's entropy source may starve it for a while, so it gets
 * more than one chance.
 */
static void cpu_rng_offer(struct work_struct *work)
{
	struct cpu_rng *rng = container_of(to_delayed_work(work),
					   struct cpu_rng, offer);
	unsigned long words[8];
	int ret = cpu_rng_fill(rng, words, sizeof(words), true);

	memzero_explicit(words, sizeof(words));
	if (ret < 0) {
		if (ret == -ENODATA)
			WRITE_ONCE(rng->stats->trouble, "starved");
		if (!rng->offers)
			pr_err("%s is not registered yet, %s\n", rng->insn->name,
			       ret == -ENODATA ? "it is starved" :
						 "start-up test failed");
		schedule_delayed_work(&rng->offer, HZ << min(rng->offers++, 6U));
		return;
	}
	WRITE_ONCE(rng->stats->trouble, NULL);

	fault_bench_read(&rng->hwrng);

	/* An error would not go away with a retry. */
	if (framework_register(&rng->hwrng, *rng->insn->quality, ""))
		WRITE_ONCE(rng->stats->trouble, "unregistered");
	else
		rng->registered = true;
}

static int cpu_rng_add(struct cpu_rng *rng, const struct cpu_insn *insn)
{
	const char *erratum = insn->erratum ? insn->erratum() : NULL;

	if (erratum && !force) {
		pr_warn("%s refused: %s\n", insn->name, erratum);
		return -ENODEV;
	}

	rng->insn = insn;
	rng->hwrng.name = insn->name;
	rng->hwrng.read = cpu_rng_read;
	INIT_DELAYED_WORK(&rng->offer, cpu_rng_offer);

	health_init(&rng->health, insn->name);
	rng->stats = stats_create(insn->name, &rng->health);
	if (!rng->stats)
		return -ENOMEM;

	/* The first offer is not delayed, so that modprobe waits for it. */
	cpu_rng_offer(&rng->offer.work);

	return 0;
}

/* The CPU may behave differently after it was switched off. */
static int cpu_rng_pm_notify(struct notifier_block *nb, unsigned long event,
			     void *unused)
{
	int i;

	if (event == PM_POST_SUSPEND || event == PM_POST_HIBERNATION ||
	    event == PM_POST_RESTORE)
		for (i = 0; i < ARRAY_SIZE(cpu_rngs); i++)
			health_retest(&cpu_rngs[i].health, false);

	return NOTIFY_OK;
}

static struct notifier_block cpu_rng_pm_notifier = {
	.notifier_call = cpu_rng_pm_notify,
};

static int __init cpu_rng_init(void)
{
	int i, err, added = 0;

	for (i = 0; i < ARRAY_SIZE(cpu_insns); i++) {
		err = framework_check_quality(cpu_insns[i].name,
					      *cpu_insns[i].quality);
		if (err)
			return err;
	}

	err = register_pm_notifier(&cpu_rng_pm_notifier);
	if (err)
		return err;

	for (i = 0; i < ARRAY_SIZE(cpu_insns); i++)
		if (cpu_insns[i].present() &&
		    !cpu_rng_add(&cpu_rngs[i], &cpu_insns[i]))
			added++;
	if (added)
		return 0;

	unregister_pm_notifier(&cpu_rng_pm_notifier);
	return -ENODEV;
}
module_init(cpu_rng_init);

static void __exit cpu_rng_exit(void)
{
	int i;

	unregister_pm_notifier(&cpu_rng_pm_notifier);
	for (i = 0; i < ARRAY_SIZE(cpu_rngs); i++) {
		struct cpu_rng *rng = &cpu_rngs[i];

		if (!rng->stats)
			continue;
		cancel_delayed_work_sync(&rng->offer);
		if (rng->registered)
			hwrng_unregister(&rng->hwrng);
		stats_destroy(rng->stats);
	}
	/* The tests keep words of the output. */
	memzero_explicit(cpu_rngs, sizeof(cpu_rngs));
}
module_exit(cpu_rng_exit);

MODULE_DESCRIPTION("CPU random number instructions as hwrng sources");
MODULE_AUTHOR("hwrngd developers");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
