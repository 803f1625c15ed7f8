# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a driver that returns no bytes, and one that does not wait for its device"
like=doctor
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel; so only the oldest and the newest"
flavours="cloud" flavours_why="generic kernels serve the TPM"
arches=amd64 arches_why="it uses sources of amd64"
rng=none
cpu=max,-rdseed

fault() { echo "$2" >/sys/module/cpu_rng/parameters/fault_"$1"; }

before() { with_daemons rngd; }
guest() {
	mkdir -p /etc/modules-load.d
	check "a driver with faults loads" insmod /faults/cpu_rng.ko
	if [ "$kernel" != 5.10 ]; then
		# The kernel's thread starts to read when there is a hwrng again.
		echo none >"$hw_random/rng_current"
		fault spin 60000
		echo cpu_rng.rdrand >"$hw_random/rng_current"
		check_equal "question 7: doctor reports that the kernel's thread keeps a CPU busy" hwrng-thread-spins "$(first)"
		fault spin 0
	fi
	fault empty 1
	/usr/bin/rngd -f >/tmp/rngd 2>&1 &
	rngd=$!
	newcomer "hwrng-returns-nothing, choice-not-kept"
	check_match "doctor shows that rngd keeps a CPU busy" '^  seen  /proc/[0-9]+/stat: rngd uses [0-9]+ % of a CPU$' "$(cat /tmp/doctor.1)"
	check_equal "the TPM is the kernel's hwrng" tpm_rng.0 "$(cat "$hw_random/rng_current")"
	kill $rngd
}
