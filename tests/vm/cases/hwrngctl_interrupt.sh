# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: what a probe changed is put back when it is interrupted"
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel: the oldest and the newest"
programs="build/hwrngctl /usr/bin/jq"

hw_random=/sys/class/misc/hw_random

# interrupt SIGNAL COMMAND...: during a long probe to tpm_rng.0; leaves the exit code in $ended.
interrupt() {
	signal=$1
	shift
	hwrngctl "$@" --source tpm_rng.0 >/tmp/said 2>&1 &
	pid=$!
	for i in $(seq 100); do
		[ "$(cat $hw_random/rng_current)" = tpm_rng.0 ] && break
		usleep 50000
	done
	sleep 1
	check_equal "tpm_rng.0 is probed" tpm_rng.0 "$(cat $hw_random/rng_current)"
	kill -"$signal" $pid
	wait $pid
	ended=$?
}

guest() {
	check "load tpm" hwrngctl load tpm
	for pair in TERM=143 HUP=129; do
		interrupt ${pair%=*} test --blocks 100000
		check_equal "SIG$signal ends it, and the shell can tell" ${pair#*=} $ended
		check_match "what was tested until then is told" 'Verdict: healthy' "$(cat /tmp/said)"
		check_equal "virtio_rng.0 is put back" virtio_rng.0 "$(cat $hw_random/rng_current)"
		check_equal "as the kernel's choice" 0 "$(cat $hw_random/rng_selected)"
	done
	check "select virtio_rng.0" hwrngctl select virtio_rng.0
	interrupt TERM test --blocks 100000
	check_equal "virtio_rng.0 is put back" virtio_rng.0 "$(cat $hw_random/rng_current)"
	check_equal "as a choice" 1 "$(cat $hw_random/rng_selected)"
	interrupt TERM bench --seconds 30
	check_equal "bench likewise" 143 $ended
	check_match "what was measured until then is told" '^tpm_rng\.0 +[0-9.]+ [kM]?B/s' "$(cat /tmp/said)"
	check_equal "virtio_rng.0 is put back" virtio_rng.0 "$(cat $hw_random/rng_current)"

	# Two at a time: the second waits for the first, and the choice survives both.
	hwrngctl test --source tpm_rng.0 --blocks 2 >/tmp/first 2>&1 &
	first=$!
	hwrngctl test --source tpm_rng.0 --blocks 2 >/tmp/second 2>&1 &
	second=$!
	usleep 300000
	check "select waits for both" hwrngctl select virtio_rng.0
	check "the first is healthy" wait $first
	check "the second is healthy" wait $second
	check_equal "virtio_rng.0 is put back after both" virtio_rng.0 "$(cat $hw_random/rng_current)"

	# Its output goes to somebody who has left: it must not die of that in the middle.
	hwrngctl test --source tpm_rng.0 --blocks 1 2>&1 | true
	check_equal "a closed pipe leaves the choice as it was" virtio_rng.0 "$(cat $hw_random/rng_current)"
}
