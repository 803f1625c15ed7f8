# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a source that failed its module's tests again and again"
like=doctor
kernels="6.1 7.3" kernels_why="the tool is tested, not the kernel"
arches=amd64 arches_why="it uses sources of amd64"
tpm=none
rng=none
cpu=max,-rdseed
timeout=240

state=/sys/module/cpu_rng/cpu_rng.rdrand/state
is_state() { [ "$(cat $state)" = "$1" ]; }
# wear_out: reads until the module gives the source up, which takes some pauses.
wear_out() {
	for _ in $(seq 600); do
		! is_state withdrawn || return 0
		timeout 5 dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null
		usleep 200000
	done
	cat $state
	false
}

guest() {
	mkdir -p /etc/modules-load.d
	check "cpu_rng with faults loads" insmod /faults/cpu_rng.ko
	check_equal "it is the kernel's hwrng" cpu_rng.rdrand "$(cat "$hw_random/rng_current")"
	echo 16 >/sys/module/cpu_rng/parameters/fault_block
	check "its module gives it up" wear_out
	check_equal "doctor reports it" hwrng-withdrawn "$(first)"
	check_match "doctor shows the state" "^  seen  $state: withdrawn$" "$(hwrngctl doctor)"
	check_match "status shows it" 'cpu_rng.rdrand failed its tests again and again' "$(hwrngctl status)"
	echo 0 >/sys/module/cpu_rng/parameters/fault_block
	newcomer hwrng-withdrawn
	check_equal "the source is healthy again" healthy "$(cat $state)"
}
