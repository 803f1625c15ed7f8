# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: no RNG device and no TPM, but a CPU with random number instructions"
like=doctor
rng=none
tpm=none

guest() {
	mkdir -p /etc/modules-load.d
	newcomer no-hwrng
	check_match "the CPU is the kernel's hwrng" '^cpu_rng\.' "$(cat "$hw_random/rng_current")"
}
