/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The random number instructions, one block per architecture. Each block ends
 * with the table cpu_insns.
 *
 * An instruction that samples an entropy source on every use has a default
 * quality of 512 of 1024: we credit half of what the hardware claims. The
 * output of a generator has no more entropy than its seed. The vendors of
 * RDRAND promise a new 256-bit seed at least every 511 outputs of 128 bits. In
 * the worst case 1 bit in 256 is fresh: 4 of 1024. Arm promises nothing better
 * for RNDR.
 */
#ifndef _CPU_INSN_H
#define _CPU_INSN_H

#include <linux/kernel.h>
#include <linux/module.h>

struct cpu_insn {
	const char *name;
	bool (*present)(void);
	/* Returns the number of words filled, less than n if starved. */
	size_t (*fill)(unsigned long *words, size_t n);
	/* Returns the erratum that makes it useless on this CPU; may be NULL. */
	const char *(*erratum)(void);
	const unsigned short *quality;
};

#define CPU_INSN_QUALITY(insn, value)					\
	static unsigned short insn##_quality = (value);			\
	module_param(insn##_quality, ushort, 0444);			\
	MODULE_PARM_DESC(insn##_quality,				\
			 "Bits of entropy credited per 1024 bits of "	\
			 #insn ", 1 to 512 (default " #value ")")

/* Inlined into each fill function, to have only one indirect call per batch. */
static __always_inline size_t cpu_insn_fill(unsigned long *words, size_t n,
					    bool (*insn)(unsigned long *word),
					    unsigned int tries)
{
	unsigned int left;
	size_t i;

	for (i = 0; i < n; i++) {
		left = tries;
		while (!insn(&words[i])) {
			if (!--left)
				return i;
			cpu_relax();
		}
	}

	return n;
}

#if defined(CONFIG_X86_64)

#include <asm/archrandom.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "cpu_errata.h"

CPU_INSN_QUALITY(rdseed, 512);
CPU_INSN_QUALITY(rdrand, 4);

static bool x86_present(unsigned int feature)
{
	if (!boot_cpu_has(feature))
		return false;
	if (boot_cpu_has_bug(X86_BUG_SRBDS))
		pr_info_once("this CPU has SRBDS: unless its mitigation is off, each number that is read locks the memory bus\n");

	return true;
}

static bool rdseed_present(void)
{
	return x86_present(X86_FEATURE_RDSEED);
}

static bool rdrand_present(void)
{
	return x86_present(X86_FEATURE_RDRAND);
}

/* All cores share one entropy source, which cannot keep up with all of them. */
static size_t rdseed_fill(unsigned long *words, size_t n)
{
	return cpu_insn_fill(words, n, rdseed_long, 100);
}

/* rdrand_long() already makes the ten tries that the vendors recommend. */
static size_t rdrand_fill(unsigned long *words, size_t n)
{
	return cpu_insn_fill(words, n, rdrand_long, 1);
}

static bool amd_identity(struct amd_cpu *cpu)
{
	cpu->family = boot_cpu_data.x86;
	cpu->model = boot_cpu_data.x86_model;
	cpu->stepping = boot_cpu_data.x86_stepping;
	cpu->microcode = boot_cpu_data.microcode;

	return boot_cpu_data.x86_vendor == X86_VENDOR_AMD;
}

static const char *rdrand_erratum(void)
{
	struct amd_cpu cpu;

	return amd_identity(&cpu) ? amd_rdrand_erratum(&cpu) : NULL;
}

static const char *rdseed_erratum(void)
{
	struct amd_cpu cpu;

	return amd_identity(&cpu) ? amd_rdseed_erratum(&cpu) : NULL;
}

static const struct cpu_insn cpu_insns[] = {
	{ "cpu_rng.rdseed", rdseed_present, rdseed_fill, rdseed_erratum, &rdseed_quality },
	{ "cpu_rng.rdrand", rdrand_present, rdrand_fill, rdrand_erratum, &rdrand_quality },
};

#elif defined(CONFIG_ARM64)

#include <linux/cpufeature.h>
#include <asm/archrandom.h>

static bool rng_present(void)
{
	return cpu_have_named_feature(RNG);
}

/* RNDRRS reseeds its generator before each word. */
#ifdef HAVE_ARM64_RNDRRS
CPU_INSN_QUALITY(rndrrs, 512);

static size_t rndrrs_fill(unsigned long *words, size_t n)
{
	return cpu_insn_fill(words, n, __arm64_rndrrs, 100);
}
#endif

CPU_INSN_QUALITY(rndr, 4);

static size_t rndr_fill(unsigned long *words, size_t n)
{
	return cpu_insn_fill(words, n, __arm64_rndr, 10);
}

static const struct cpu_insn cpu_insns[] = {
#ifdef HAVE_ARM64_RNDRRS
	{ "cpu_rng.rndrrs", rng_present, rndrrs_fill, NULL, &rndrrs_quality },
#endif
	{ "cpu_rng.rndr", rng_present, rndr_fill, NULL, &rndr_quality },
};

#elif defined(CONFIG_PPC64)

#include <asm/cputable.h>
#include <asm/cpu_has_feature.h>

CPU_INSN_QUALITY(darn, 512);

static bool darn_present(void)
{
	return cpu_has_feature(CPU_FTR_ARCH_300);
}

/* L=1 requests 64 conditioned bits; all ones means that it failed. */
static __always_inline bool darn_long(unsigned long *word)
{
	asm volatile(".machine push\n"
		     ".machine power9\n"
		     "darn %0,1\n"
		     ".machine pop" : "=r" (*word));
	return *word != ~0UL;
}

static size_t darn_fill(unsigned long *words, size_t n)
{
	return cpu_insn_fill(words, n, darn_long, 10);
}

static const struct cpu_insn cpu_insns[] = {
	{ "cpu_rng.darn", darn_present, darn_fill, NULL, &darn_quality },
};

#elif defined(CONFIG_RISCV) && defined(HAVE_RISCV_CSR_SEED)

#include <asm/archrandom.h>
#include <asm/cpufeature.h>

/* Zkr promises that half of the bits are entropy. */
CPU_INSN_QUALITY(seed, 512);

static bool seed_present(void)
{
	return riscv_has_extension_likely(RISCV_ISA_EXT_ZKR);
}

/* csr_seed_long() already makes a hundred tries. */
static size_t seed_fill(unsigned long *words, size_t n)
{
	return cpu_insn_fill(words, n, csr_seed_long, 1);
}

static const struct cpu_insn cpu_insns[] = {
	{ "cpu_rng.seed", seed_present, seed_fill, NULL, &seed_quality },
};

#else
#error "no known random number instruction for this architecture"
#endif

#endif /* _CPU_INSN_H */
