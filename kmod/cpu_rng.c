// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random number instructions of the CPU as hwrng sources
 *
 * The kernel itself takes only a little from these instructions, at boot and
 * at reseeds. As hwrng sources they can also be selected, measured and used to
 * feed the kernel. Each has its own name: cpu_rng.rdseed, cpu_rng.rdrand, etc.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/hw_random.h>
#include <linux/kernel.h>
#include <linux/module.h>

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
	return -EIO;
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

	return fault_return(ret);
}

static int cpu_rng_add(struct cpu_rng *rng, const struct cpu_insn *insn)
{
	const char *erratum = insn->erratum ? insn->erratum() : NULL;
	unsigned long words[8];
	int ret;

	if (erratum && !force) {
		pr_warn("%s refused: %s\n", insn->name, erratum);
		return -ENODEV;
	}

	rng->insn = insn;
	rng->hwrng.name = insn->name;
	rng->hwrng.read = cpu_rng_read;

	health_init(&rng->health, insn->name);
	rng->stats = stats_create(insn->name, &rng->health);
	if (!rng->stats)
		return -ENOMEM;

	/* Runs the start-up test, which comes before the first bytes. */
	ret = cpu_rng_fill(rng, words, sizeof(words), true);
	memzero_explicit(words, sizeof(words));
	if (ret < 0) {
		pr_err("%s refused: start-up test failed\n", insn->name);
		goto out_stats;
	}

	fault_bench_read(&rng->hwrng);

	ret = framework_register(&rng->hwrng, *insn->quality, "");
	if (ret)
		goto out_stats;
	rng->registered = true;

	return 0;

out_stats:
	stats_destroy(rng->stats);
	return ret;
}

static int __init cpu_rng_init(void)
{
	int i, err, registered = 0;

	for (i = 0; i < ARRAY_SIZE(cpu_insns); i++) {
		err = framework_check_quality(cpu_insns[i].name,
					      *cpu_insns[i].quality);
		if (err)
			return err;
	}

	for (i = 0; i < ARRAY_SIZE(cpu_insns); i++) {
		if (!cpu_insns[i].present())
			continue;
		if (!cpu_rng_add(&cpu_rngs[i], &cpu_insns[i]))
			registered++;
	}

	return registered ? 0 : -ENODEV;
}
module_init(cpu_rng_init);

static void __exit cpu_rng_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(cpu_rngs); i++) {
		if (!cpu_rngs[i].registered)
			continue;
		hwrng_unregister(&cpu_rngs[i].hwrng);
		stats_destroy(cpu_rngs[i].stats);
	}
}
module_exit(cpu_rng_exit);

MODULE_DESCRIPTION("CPU random number instructions as hwrng sources");
MODULE_AUTHOR("hwrngd developers");
MODULE_LICENSE("GPL");
