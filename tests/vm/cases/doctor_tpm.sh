# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: no RNG but a TPM that the kernel leaves out"
like=doctor
flavours="cloud" flavours_why="generic kernels serve the TPM"
rng=none

guest() {
	mkdir -p /etc/modules-load.d
	check_fails "doctor finds something" 1 hwrngctl doctor
	check_equal "the TPM that is no hwrng" tpm-not-hwrng "$(first)"
	check "following it" follow
	check_equal "it is the kernel's hwrng" tpm_rng.0 "$(cat "$hw_random/rng_current")"
	check_equal "and at the next boot" tpm_rng "$(cat /etc/modules-load.d/tpm_rng.conf)"
	check_equal "nothing is left to do" nothing "$(first)"
}
