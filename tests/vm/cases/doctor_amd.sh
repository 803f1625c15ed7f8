# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a TPM that the kernel takes for a firmware TPM of AMD"
like=doctor
arches=amd64 arches_why="firmware TPMs of AMD"
flavours="cloud" flavours_why="generic 5.10 serves it"
tpm_device=tpm-crb
rng=none

guest() {
	mkdir -p /etc/modules-load.d
	# As at a boot with it in /etc/modules.
	modprobe tpm_rng
	newcomer amd-ftpm
	check_equal "question 5: it is the kernel's hwrng" tpm_rng.0 "$(cat "$hw_random/rng_current")"
}
