# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: no RNG device but a TPM; first without its driver, then not used by the kernel"
like=doctor
flavours="cloud" flavours_why="generic kernels serve the TPM"
rng=none

before() { with_daemons rngd; }
guest() {
	mkdir -p /etc/modules-load.d
	if grep -q '/tpm_tis\.ko' "/lib/modules/$(uname -r)/modules.builtin"; then
		skip "a TPM without its driver" "the driver is built into this kernel"
		newcomer tpm-not-hwrng
	else
		check "the TPM's driver is unloaded" rmmod tpm_tis
		newcomer "device-without-driver, tpm-not-hwrng"
	fi
	check_equal "the TPM is the kernel's hwrng" tpm_rng.0 "$(cat "$hw_random/rng_current")"
	check_equal "tpm_rng will be loaded at the next boot" tpm_rng "$(grep -v "^#" /etc/modules-load.d/hwrngd-tpm_rng.conf)"
	check_equal "question 10: doctor explains rngd's own TPM source" rngd-tpm-disabled "$(first_note)"
}
