/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State and statistics of a source in /sys/module/MODULE/SOURCE/; see ABI.txt.
 *
 * The framework reads a source for one reader at a time, so there is only one
 * writer of these numbers. A reader of several attributes may see the numbers
 * of different reads. Each number has the machine's word size, so that no
 * reader sees one half written.
 */
#ifndef _STATS_H
#define _STATS_H

#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "health.h"

enum stats_attribute {
	STATS_STATE,
	STATS_READS,
	STATS_BYTES,
	STATS_ERRORS,
	STATS_RETRIES,
	STATS_REPETITION_FAILURES,
	STATS_PROPORTION_FAILURES,
	STATS_WORD_FAILURES,
	STATS_STUCK_BIT_FAILURES,
	STATS_RECENT_FAILURES,
	STATS_LATENCY_WORST_US,
	STATS_LATENCY_MEAN_US,
	STATS_ATTRIBUTES,
};

struct stats {
	struct health *health;
	const char *trouble;		/* a state that hides that of the tests */
	unsigned long reads;
	unsigned long bytes;
	unsigned long errors;
	unsigned long retries;
	unsigned long worst;		/* latency in ns */
	unsigned long mean;		/* of recent reads */

	/*
	 * The folder is an object of the kernel proper, not of this module: it
	 * may be released when this module is gone. So each file has its stats.
	 */
	struct kobject *folder;
	struct stats_file {
		struct kobj_attribute attribute;
		struct stats *stats;
	} files[STATS_ATTRIBUTES];
};

static inline void stats_add(unsigned long *counter, unsigned long n)
{
	WRITE_ONCE(*counter, *counter + n);
}

/* Counts a read that returned ret and began at start (0: it was not timed). */
static inline void stats_read(struct stats *stats, u64 start, int ret)
{
	if (start) {
		/* At least 1, because a coarse clock may not have advanced. */
		long ns = clamp_t(u64, ktime_get_ns() - start, 1, LONG_MAX);
		long mean = stats->mean;

		if (ns > stats->worst)
			WRITE_ONCE(stats->worst, ns);
		WRITE_ONCE(stats->mean, mean ? mean + (ns - mean) / 16 : ns);
	}
	stats_add(&stats->reads, 1);
	if (ret > 0)
		stats_add(&stats->bytes, ret);
	else if (ret < 0)
		stats_add(&stats->errors, 1);
}

static inline const char *stats_state(const struct stats *stats)
{
	const char *trouble = READ_ONCE(stats->trouble);

	if (health_withdrawn(stats->health))
		return "withdrawn";
	if (trouble)
		return trouble;
	if (READ_ONCE(stats->health->failed))
		return "failed";
	return READ_ONCE(stats->health->startup) ? "start-up" : "healthy";
}

static inline unsigned long stats_number(const struct stats *stats,
					 enum stats_attribute which)
{
	const struct health *health = stats->health;

	switch (which) {
	case STATS_READS:
		return READ_ONCE(stats->reads);
	case STATS_BYTES:
		return READ_ONCE(stats->bytes);
	case STATS_ERRORS:
		return READ_ONCE(stats->errors);
	case STATS_RETRIES:
		return READ_ONCE(stats->retries);
	case STATS_REPETITION_FAILURES:
		return READ_ONCE(health->failures[HEALTH_REPETITION]);
	case STATS_PROPORTION_FAILURES:
		return READ_ONCE(health->failures[HEALTH_PROPORTION]);
	case STATS_WORD_FAILURES:
		return READ_ONCE(health->failures[HEALTH_WORD]);
	case STATS_STUCK_BIT_FAILURES:
		return READ_ONCE(health->failures[HEALTH_STUCK_BIT]);
	case STATS_RECENT_FAILURES:
		return READ_ONCE(health->strikes);
	/* Rounded up, so that 0 means that no read was timed. */
	case STATS_LATENCY_WORST_US:
		return DIV_ROUND_UP(READ_ONCE(stats->worst), 1000);
	case STATS_LATENCY_MEAN_US:
		return DIV_ROUND_UP(READ_ONCE(stats->mean), 1000);
	default:
		return 0;
	}
}

static ssize_t stats_show(struct kobject *kobj,
			  struct kobj_attribute *attribute, char *buf)
{
	struct stats_file *file = container_of(attribute, struct stats_file,
					       attribute);
	struct stats *stats = file->stats;

	if (file == &stats->files[STATS_STATE])
		return sysfs_emit(buf, "%s\n", stats_state(stats));
	return sysfs_emit(buf, "%lu\n",
			  stats_number(stats, file - stats->files));
}

/* "start-up" forgets all failures and tests the source again. */
static ssize_t stats_store(struct kobject *kobj,
			   struct kobj_attribute *attribute, const char *buf,
			   size_t len)
{
	struct stats_file *file = container_of(attribute, struct stats_file,
					       attribute);

	if (!sysfs_streq(buf, "start-up"))
		return -EINVAL;
	health_retest(file->stats->health, true);

	return len;
}

/*
 * Waits until no attribute is being accessed. A reader with an open attribute
 * gets -ENODEV from then on. After this the caller may free the health.
 */
static inline void stats_destroy(struct stats *stats)
{
	kobject_del(stats->folder);
	kobject_put(stats->folder);
	kfree(stats);
}

static inline struct stats *stats_create(const char *name,
					 struct health *health)
{
	static const char * const names[] = {
		[STATS_STATE] = "state",
		[STATS_READS] = "reads",
		[STATS_BYTES] = "bytes",
		[STATS_ERRORS] = "errors",
		[STATS_RETRIES] = "retries",
		[STATS_REPETITION_FAILURES] = "repetition_failures",
		[STATS_PROPORTION_FAILURES] = "proportion_failures",
		[STATS_WORD_FAILURES] = "word_failures",
		[STATS_STUCK_BIT_FAILURES] = "stuck_bit_failures",
		[STATS_RECENT_FAILURES] = "recent_failures",
		[STATS_LATENCY_WORST_US] = "latency_worst_us",
		[STATS_LATENCY_MEAN_US] = "latency_mean_us",
	};
	struct stats *stats = kzalloc(sizeof(*stats), GFP_KERNEL);
	int i;

	if (!stats)
		return NULL;

	stats->health = health;
	stats->folder = kobject_create_and_add(name, &THIS_MODULE->mkobj.kobj);
	if (!stats->folder) {
		kfree(stats);
		return NULL;
	}

	for (i = 0; i < STATS_ATTRIBUTES; i++) {
		struct stats_file *file = &stats->files[i];

		file->stats = stats;
		sysfs_attr_init(&file->attribute.attr);
		file->attribute.attr.name = names[i];
		file->attribute.attr.mode = 0444;
		file->attribute.show = stats_show;
		if (i == STATS_STATE) {
			file->attribute.attr.mode = 0644;
			file->attribute.store = stats_store;
		}
		if (sysfs_create_file(stats->folder, &file->attribute.attr)) {
			stats_destroy(stats);
			return NULL;
		}
	}

	return stats;
}

#endif /* _STATS_H */
