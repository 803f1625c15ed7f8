# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: virtio-rng returns zeros"
like=doctor
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel; so only the oldest and the newest"
flavours="cloud" flavours_why="generic kernels serve the TPM"
rng=zeros

guest() {
	mkdir -p /etc/modules-load.d
	newcomer "hwrng-sick, choice-not-kept"
	check_equal "the TPM is the kernel's hwrng" tpm_rng.0 "$(cat "$hw_random/rng_current")"
}
