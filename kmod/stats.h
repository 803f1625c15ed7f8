/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics of a source in /sys/module/MODULE/SOURCE/; see ABI.txt.
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
#include <linux/sysfs.h>

#include "health.h"

struct stats {
	struct kobject kobj;
	const struct health *health;
	bool backoff;			/* the driver does not read the source */
	unsigned long reads;
	unsigned long bytes;
	unsigned long errors;
	unsigned long retries;
	unsigned long worst;		/* latency in ns */
	unsigned long mean;		/* of recent reads */
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
	if (READ_ONCE(stats->backoff))
		return "back-off";
	if (READ_ONCE(stats->health->failed))
		return "failed";
	return READ_ONCE(stats->health->startup) ? "start-up" : "healthy";
}

#define STATS_ATTRIBUTE(name, format, value)				\
	static ssize_t name##_show(struct kobject *kobj,		\
				   struct kobj_attribute *attribute,	\
				   char *buf)				\
	{								\
		struct stats *stats = container_of(kobj, struct stats, kobj); \
									\
		return sysfs_emit(buf, format "\n", value);		\
	}								\
	static struct kobj_attribute name##_attribute = __ATTR_RO(name)

STATS_ATTRIBUTE(state, "%s", stats_state(stats));
STATS_ATTRIBUTE(reads, "%lu", READ_ONCE(stats->reads));
STATS_ATTRIBUTE(bytes, "%lu", READ_ONCE(stats->bytes));
STATS_ATTRIBUTE(errors, "%lu", READ_ONCE(stats->errors));
STATS_ATTRIBUTE(retries, "%lu", READ_ONCE(stats->retries));
STATS_ATTRIBUTE(repetition_failures, "%lu",
		READ_ONCE(stats->health->failures[HEALTH_REPETITION]));
STATS_ATTRIBUTE(proportion_failures, "%lu",
		READ_ONCE(stats->health->failures[HEALTH_PROPORTION]));
/* Rounded up, so that 0 means that no read was timed. */
STATS_ATTRIBUTE(latency_worst_us, "%lu",
		DIV_ROUND_UP(READ_ONCE(stats->worst), 1000));
STATS_ATTRIBUTE(latency_mean_us, "%lu",
		DIV_ROUND_UP(READ_ONCE(stats->mean), 1000));

static struct attribute *stats_attrs[] = {
	&state_attribute.attr,
	&reads_attribute.attr,
	&bytes_attribute.attr,
	&errors_attribute.attr,
	&retries_attribute.attr,
	&repetition_failures_attribute.attr,
	&proportion_failures_attribute.attr,
	&latency_worst_us_attribute.attr,
	&latency_mean_us_attribute.attr,
	NULL
};
ATTRIBUTE_GROUPS(stats);

static void stats_free(struct kobject *kobj)
{
	kfree(container_of(kobj, struct stats, kobj));
}

static struct kobj_type stats_type = {
	.release = stats_free,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = stats_groups,
};

static inline struct stats *stats_create(const char *name,
					 const struct health *health)
{
	struct stats *stats = kzalloc(sizeof(*stats), GFP_KERNEL);

	if (!stats)
		return NULL;

	stats->health = health;
	if (kobject_init_and_add(&stats->kobj, &stats_type,
				 &THIS_MODULE->mkobj.kobj, "%s", name)) {
		kobject_put(&stats->kobj);
		return NULL;
	}

	return stats;
}

/*
 * Waits until no attribute is being read. A reader with an open attribute gets
 * -ENODEV from then on. After this the caller may free @stats->health.
 */
static inline void stats_destroy(struct stats *stats)
{
	kobject_del(&stats->kobj);
	kobject_put(&stats->kobj);
}

#endif /* _STATS_H */
