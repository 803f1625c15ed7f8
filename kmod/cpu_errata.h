/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86 CPUs whose random number instructions are known to be broken. The module
 * and the programs share this file, so that they never disagree.
 *
 * The decisions are those of arch/x86/kernel/cpu/amd.c in Linux 7.3, which hides
 * such an instruction. Older kernels know only some of them, and a hypervisor
 * may show to its guests what its own kernel hides.
 */
#ifndef _CPU_ERRATA_H
#define _CPU_ERRATA_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

/* An AMD CPU, as /proc/cpuinfo has it. A microcode of 0 is unknown. */
struct amd_cpu {
	unsigned int family;
	unsigned int model;
	unsigned int stepping;
	unsigned int microcode;
};

/* RDRAND of these CPUs may return the same value for ever after a resume. */
static inline const char *amd_rdrand_erratum(const struct amd_cpu *cpu)
{
	if (cpu->family == 0x15 || cpu->family == 0x16)
		return "unreliable after resume on AMD families 15h and 16h";

	return NULL;
}

static inline int amd_is_zen5(const struct amd_cpu *cpu)
{
	return cpu->family == 0x1a &&
	       (cpu->model <= 0x2f ||
		(cpu->model >= 0x40 && cpu->model <= 0x4f) ||
		(cpu->model >= 0x60 && cpu->model <= 0x7f) ||
		(cpu->model >= 0xd0 && cpu->model <= 0xd7));
}

/*
 * AMD-SB-7055, CVE-2025-62626: RDSEED on Zen 5 may return zeros and report
 * success. Returns whether this CPU has at least the first fixed microcode of
 * its model and stepping. Only the 16-bit and 32-bit forms are known to fail.
 * We use the 64-bit form, but no kernel trusts that one either.
 */
static inline int amd_zen5_rdseed_is_fixed(const struct amd_cpu *cpu)
{
	static const struct amd_cpu fixed[] = {
		{ 0x1a, 0x02, 0x1, 0x0b00215a }, { 0x1a, 0x08, 0x1, 0x0b008121 },
		{ 0x1a, 0x11, 0x0, 0x0b101054 }, { 0x1a, 0x24, 0x0, 0x0b204037 },
		{ 0x1a, 0x44, 0x0, 0x0b404035 }, { 0x1a, 0x44, 0x1, 0x0b404108 },
		{ 0x1a, 0x60, 0x0, 0x0b600037 }, { 0x1a, 0x68, 0x0, 0x0b608038 },
		{ 0x1a, 0x70, 0x0, 0x0b700037 }, { 0, 0, 0, 0 },
	};
	const struct amd_cpu *first;

	for (first = fixed; first->family; first++)
		if (cpu->family == first->family &&
		    cpu->model == first->model &&
		    cpu->stepping == first->stepping)
			return cpu->microcode >= first->microcode;

	return 0;
}

static inline const char *amd_rdseed_erratum(const struct amd_cpu *cpu)
{
	if (cpu->family == 0x17 && cpu->model == 0x47 && cpu->stepping == 0)
		return "unreliable on AMD Cyan Skillfish";
	if (amd_is_zen5(cpu) && !amd_zen5_rdseed_is_fixed(cpu))
		return "AMD-SB-7055, update the microcode";

	return NULL;
}

#endif /* _CPU_ERRATA_H */
