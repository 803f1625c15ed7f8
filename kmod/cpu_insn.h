/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The random number instructions, one block per architecture. Each block ends
 * with the table cpu_insns and, for autoloading, the list of CPUs that have
 * such an instruction.
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
#include <linux/mod_devicetable.h>
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
			 #insn ", 1 to 1024 (default " #value ")")

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
#include <asm/cpu_device_id.h>
#include <asm/cpufeature.h>

CPU_INSN_QUALITY(rdseed, 512);
CPU_INSN_QUALITY(rdrand, 4);

static bool rdseed_present(void)
{
	return boot_cpu_has(X86_FEATURE_RDSEED);
}

static bool rdrand_present(void)
{
	return boot_cpu_has(X86_FEATURE_RDRAND);
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

/*
 * On these CPUs RDRAND may return the same value for ever after a resume. The
 * kernel therefore hides it, but a hypervisor may still show it to a guest.
 */
static const char *rdrand_erratum(void)
{
	const struct cpuinfo_x86 *c = &boot_cpu_data;

	if (c->x86_vendor == X86_VENDOR_AMD && (c->x86 == 0x15 || c->x86 == 0x16))
		return "unreliable after resume on AMD families 15h and 16h";

	return NULL;
}

/*
 * AMD-SB-7055, CVE-2025-68313: RDSEED on Zen 5 may return zeros and report
 * success. The table has the first fixed microcode revision for each model and
 * stepping, which are the upper 24 bits of a revision. Only the 16-bit and
 * 32-bit forms are known to fail. We use the 64-bit form, but no kernel trusts
 * that one either.
 */
static bool zen5_rdseed_is_fixed(u32 microcode)
{
	static const u32 fixed[] = {
		0x0b00215a, 0x0b008121, 0x0b101054, 0x0b204037, 0x0b404035,
		0x0b404108, 0x0b600037, 0x0b608038, 0x0b700037,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		if (microcode >> 8 == fixed[i] >> 8)
			return microcode >= fixed[i];

	return false;
}

/* Later kernels hide RDSEED on these CPUs; then rdseed_present() is false. */
static const char *rdseed_erratum(void)
{
	const struct cpuinfo_x86 *c = &boot_cpu_data;

	if (c->x86_vendor != X86_VENDOR_AMD)
		return NULL;

	if (c->x86 == 0x17 && c->x86_model == 0x47)
		return "unreliable on AMD Cyan Skillfish";

	if (c->x86 == 0x1a) {
		switch (c->x86_model) {
		case 0x00 ... 0x2f:
		case 0x40 ... 0x4f:
		case 0x60 ... 0x7f:
			if (!zen5_rdseed_is_fixed(c->microcode))
				return "AMD-SB-7055, update the microcode";
		}
	}

	return NULL;
}

static const struct cpu_insn cpu_insns[] = {
	{ "cpu_rng.rdseed", rdseed_present, rdseed_fill, rdseed_erratum, &rdseed_quality },
	{ "cpu_rng.rdrand", rdrand_present, rdrand_fill, rdrand_erratum, &rdrand_quality },
};

static const struct x86_cpu_id __maybe_unused cpu_rng_ids[] = {
	X86_MATCH_FEATURE(X86_FEATURE_RDSEED, NULL),
	X86_MATCH_FEATURE(X86_FEATURE_RDRAND, NULL),
	{ }
};
MODULE_DEVICE_TABLE(x86cpu, cpu_rng_ids);

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

static const struct cpu_feature __maybe_unused cpu_rng_ids[] = {
	{ .feature = cpu_feature(RNG) },
	{ }
};
MODULE_DEVICE_TABLE(cpu, cpu_rng_ids);

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
