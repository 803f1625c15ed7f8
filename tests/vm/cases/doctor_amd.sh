# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a TPM that the kernel takes for an AMD firmware TPM"
like=doctor
arches=amd64 arches_why="only amd64 has AMD firmware TPMs"
flavours="cloud" flavours_why="the generic kernel 5.10 serves this TPM"
tpm_device=tpm-crb
rng=none

guest() {
	mkdir -p /etc/modules-load.d
	# As at a boot with tpm_rng in /etc/modules.
	modprobe tpm_rng
	newcomer amd-ftpm
	check_equal "question 5: the TPM is the kernel's hwrng" tpm_rng.0 "$(cat "$hw_random/rng_current")"
}
