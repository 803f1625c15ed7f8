# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: virtio-rng no longer returns data"
like=doctor
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel; so only the oldest and the newest"
rng="file"
tpm=none

before() { mkfifo "$rng_file"; }
during() { { head -c 256 /dev/urandom; sleep 600; } >"$rng_file"; }

guest() {
	check "a reader stalls in virtio-rng" stall_hwrng
	mkdir -p /etc/modules-load.d
	if [ "$kernel" = 5.10 ]; then
		newcomer hwrng-silent
	else
		# One reader is inside the driver, and all others wait for it.
		check "another source is selected, which does not help yet" sh -c "modprobe cpu_rng && hwrngctl select cpu_rng.rdrand"
		newcomer "hwrng-silent, choice-not-kept"
	fi
	check_match "the CPU is the kernel's hwrng" '^cpu_rng\.' "$(cat "$hw_random/rng_current")"
}
