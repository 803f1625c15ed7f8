/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions shared by the tests of /dev/hwrng: access to the framework's files,
 * commands, reader threads, and the search for bytes that were served twice.
 */
#ifndef _HWRNG_H
#define _HWRNG_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HWRNG_DEV	"/dev/hwrng"
#define HWRNG_SYSFS	"/sys/class/misc/hw_random/"
/* For 16 bytes, a repetition by chance has a probability of 2^-128 per pair. */
#define HWRNG_WINDOW	16

/* Generous, because the tests also run on a debug kernel in an emulator. */
#define HWRNG_TIMEOUT	120

static inline long hwrng_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

static inline void hwrng_sleep_ms(long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* Returns the exit code of a command, or -1. */
static inline int hwrng_run(const char *command)
{
	int status = system(command);

	return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Returns the first line of a framework file, or "" if it cannot be read. */
static inline const char *hwrng_file(const char *name)
{
	static char content[4096];
	char path[128];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), HWRNG_SYSFS "%s", name);
	content[0] = '\0';
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return content;
	len = read(fd, content, sizeof(content) - 1);
	close(fd);
	content[len > 0 ? len : 0] = '\0';
	content[strcspn(content, "\n")] = '\0';
	return content;
}

static inline bool hwrng_has_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), HWRNG_SYSFS "%s", name);
	return !access(path, F_OK);
}

static inline bool hwrng_is_available(const char *rng)
{
	char list[4096], *word, *rest;

	snprintf(list, sizeof(list), "%s", hwrng_file("rng_available"));
	for (word = strtok_r(list, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		if (!strcmp(word, rng))
			return true;
	return false;
}

/* Reads the name back, because old kernels silently ignore an unknown one. */
static inline bool hwrng_choose(const char *rng)
{
	bool written;
	int fd;

	fd = open(HWRNG_SYSFS "rng_current", O_WRONLY);
	if (fd < 0)
		return false;
	written = write(fd, rng, strlen(rng)) == (ssize_t)strlen(rng);
	close(fd);
	return written && !strcmp(hwrng_file("rng_current"), rng);
}

/* Selects a source and discards the framework's leftovers of the previous one. */
static inline bool hwrng_select(const char *rng)
{
	char stale[64];
	ssize_t len;
	int fd;

	if (!hwrng_choose(rng))
		return false;
	fd = open(HWRNG_DEV, O_RDONLY);
	if (fd < 0)
		return false;
	len = read(fd, stale, sizeof(stale));
	close(fd);
	return len > 0;
}

/*
 * A thread that reads until it is told to stop, or until it has read enough. It
 * keeps the first bytes.
 */
struct hwrng_reader {
	pthread_t thread;
	atomic_bool *stop;	/* may be NULL */
	int flags;		/* for open() */
	size_t chunk;		/* size of a read */
	size_t want;		/* bytes to read; 0: read until stopped */
	size_t keep;		/* maximum number of bytes to keep */
	unsigned char *data;
	size_t kept;
	unsigned long reads;	/* reads that returned data */
	unsigned long zeros;	/* reads that returned 0 */
	unsigned long again;	/* EAGAIN */
	unsigned long intr;	/* EINTR */
	unsigned long nodev;	/* ENODEV */
	unsigned long broken;	/* EIO */
	unsigned long oversized; /* reads that returned more than requested */
	int error;		/* any other error */
};

static inline void hwrng_count_error(struct hwrng_reader *reader, int error)
{
	switch (error) {
	case EAGAIN:
		reader->again++;
		break;
	case EINTR:
		reader->intr++;
		break;
	/* There is no source at this moment: do not spin. */
	case ENODEV:
		reader->nodev++;
		hwrng_sleep_ms(1);
		break;
	case EIO:
		reader->broken++;
		hwrng_sleep_ms(1);
		break;
	default:
		reader->error = error;
	}
}

static inline void *hwrng_read_loop(void *argument)
{
	struct hwrng_reader *reader = argument;
	size_t total = 0, store;
	unsigned char *chunk;
	ssize_t len;
	int fd;

	/* The readers must not starve the processes that serve or end them. */
	setpriority(PRIO_PROCESS, 0, 10);
	chunk = malloc(reader->chunk);
	fd = open(HWRNG_DEV, O_RDONLY | reader->flags);
	if (!chunk || fd < 0) {
		reader->error = errno;
		goto out;
	}
	while (!reader->error && !(reader->want && total >= reader->want) &&
	       !(reader->stop && atomic_load(reader->stop))) {
		len = read(fd, chunk, reader->chunk);
		if (len < 0) {
			hwrng_count_error(reader, errno);
			continue;
		}
		reader->reads += len > 0;
		reader->zeros += len == 0;
		if ((size_t)len > reader->chunk) {
			reader->oversized++;
			break;
		}
		total += len;
		store = reader->keep - reader->kept;
		if (store > (size_t)len)
			store = len;
		memcpy(reader->data + reader->kept, chunk, store);
		reader->kept += store;
	}
out:
	if (fd >= 0)
		close(fd);
	free(chunk);
	return NULL;
}

/* Starts copies of one reader. Returns NULL without memory or threads. */
static inline struct hwrng_reader *hwrng_start(struct hwrng_reader like, int count)
{
	struct hwrng_reader *readers = calloc(count, sizeof(*readers));
	int i;

	for (i = 0; readers && i < count; i++) {
		readers[i] = like;
		readers[i].data = malloc(like.keep);
		if (!readers[i].data ||
		    pthread_create(&readers[i].thread, NULL, hwrng_read_loop, &readers[i]))
			return NULL;
	}
	return readers;
}

static inline void hwrng_join(struct hwrng_reader *readers, int count)
{
	int i;

	for (i = 0; i < count; i++)
		pthread_join(readers[i].thread, NULL);
}

/* Returns the sum of the readers' counters. */
static inline struct hwrng_reader hwrng_sum(const struct hwrng_reader *readers, int count)
{
	struct hwrng_reader sum = { 0 };
	int i;

	for (i = 0; i < count; i++) {
		sum.kept += readers[i].kept;
		sum.reads += readers[i].reads;
		sum.zeros += readers[i].zeros;
		sum.again += readers[i].again;
		sum.intr += readers[i].intr;
		sum.nodev += readers[i].nodev;
		sum.broken += readers[i].broken;
		sum.oversized += readers[i].oversized;
		if (readers[i].error)
			sum.error = readers[i].error;
	}
	return sum;
}

static inline int hwrng_compare_windows(const void *a, const void *b)
{
	return memcmp(*(const unsigned char *const *)a, *(const unsigned char *const *)b,
		      HWRNG_WINDOW);
}

/*
 * Counts the windows of 16 bytes, at any offset in the bytes of all readers,
 * that occur more than once. Returns -1 without memory.
 */
static inline long hwrng_repeated(const struct hwrng_reader *readers, int count)
{
	const unsigned char **windows;
	long repeated = 0;
	size_t j, n = 0;
	int i;

	windows = calloc(hwrng_sum(readers, count).kept + 1, sizeof(*windows));
	if (!windows)
		return -1;
	for (i = 0; i < count; i++)
		for (j = 0; j + HWRNG_WINDOW <= readers[i].kept; j++)
			windows[n++] = readers[i].data + j;
	qsort(windows, n, sizeof(*windows), hwrng_compare_windows);
	for (j = 1; j < n; j++)
		repeated += !hwrng_compare_windows(&windows[j - 1], &windows[j]);
	free(windows);
	return repeated;
}

#endif /* _HWRNG_H */
