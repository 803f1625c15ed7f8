// SPDX-License-Identifier: GPL-2.0-or-later
//
// Prints how many nanoseconds 64 random bytes take: "insn rdrand N" and "insn rdseed N" with a
// plain loop over the instruction, "insn hwrng N" with read() of /dev/hwrng. The result is the best
// of ten rounds of N/10, because other guests disturb the measurement.

#include <fcntl.h>
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned long long words[8];
static int hwrng;

__attribute__((target("rdrnd"))) static void rdrand(void)
{
	for (int i = 0; i < 8; i++)
		while (!_rdrand64_step(&words[i]))
			_mm_pause();
}

__attribute__((target("rdseed"))) static void rdseed(void)
{
	for (int i = 0; i < 8; i++)
		while (!_rdseed64_step(&words[i]))
			_mm_pause();
}

static void device(void)
{
	if (read(hwrng, words, sizeof(words)) != sizeof(words)) {
		perror("read");
		exit(1);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	void (*read64)(void) = device;
	double best = 1e18;
	long n = argc == 3 ? atol(argv[2]) / 10 : 0;

	if (n < 1)
		return 2;
	if (!strcmp(argv[1], "rdrand"))
		read64 = rdrand;
	else if (!strcmp(argv[1], "rdseed"))
		read64 = rdseed;
	else
		hwrng = open("/dev/hwrng", O_RDONLY);
	if (read64 == device && hwrng < 0)
		return 1;

	for (int round = 0; round < 10; round++) {
		double start = now();

		for (long i = 0; i < n; i++)
			read64();
		if ((now() - start) / n < best)
			best = (now() - start) / n;
	}
	printf("%.0f\n", best);
	return 0;
}
