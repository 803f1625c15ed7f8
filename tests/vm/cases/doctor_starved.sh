# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: half a minute after the boot the CRNG is still not ready"
like=doctor
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel; so only the oldest and the newest"
flavours="cloud" flavours_why="generic kernels serve the TPM"
rng=none
cpu=max,-rdrand,-rdseed
cmdline="random.trust_cpu=off random.trust_bootloader=off"

guest() {
	mkdir -p /etc/modules-load.d
	while [ "$(now)" -lt 3100 ]; do sleep 1; done
	# The kernel may make the CRNG ready by itself at any moment.
	if dmesg | grep 'crng init done'; then
		skip "question 12: a boot that waits for entropy" "the kernel already made the CRNG ready by itself"
		return
	fi
	newcomer "crng-not-ready, slow-boot"
	check_match "question 12: doctor still reports the slow boot" 'slow-boot' "$(hwrngctl doctor --all)"
}
