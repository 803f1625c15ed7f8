# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: an interrupted probe restores what it changed"
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel; so only the oldest and the newest"
programs="build/hwrngctl /usr/bin/jq"

hw_random=/sys/class/misc/hw_random

# interrupt SIGNAL COMMAND...: sends the signal during a long probe of tpm_rng.0. Sets $ended to the exit code.
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
		check_equal "SIG$signal ends test, with the exit code of the signal" ${pair#*=} $ended
		check_match "test prints the result so far" 'Verdict: healthy' "$(cat /tmp/said)"
		check_equal "virtio_rng.0 is restored" virtio_rng.0 "$(cat $hw_random/rng_current)"
		check_equal "virtio_rng.0 counts as the kernel's choice" 0 "$(cat $hw_random/rng_selected)"
	done
	check "select virtio_rng.0" hwrngctl select virtio_rng.0
	interrupt TERM test --blocks 100000
	check_equal "virtio_rng.0 is restored" virtio_rng.0 "$(cat $hw_random/rng_current)"
	check_equal "virtio_rng.0 counts as selected" 1 "$(cat $hw_random/rng_selected)"
	interrupt TERM bench --seconds 30
	check_equal "SIGTERM ends bench, with the exit code of the signal" 143 $ended
	check_match "bench prints the results so far" '^tpm_rng\.0 +[0-9.]+ [kM]?B/s' "$(cat /tmp/said)"
	check_equal "virtio_rng.0 is restored" virtio_rng.0 "$(cat $hw_random/rng_current)"

	# Two probes at a time: the second waits for the first, and both restore the selection.
	hwrngctl test --source tpm_rng.0 --blocks 2 >/tmp/first 2>&1 &
	first=$!
	hwrngctl test --source tpm_rng.0 --blocks 2 >/tmp/second 2>&1 &
	second=$!
	usleep 300000
	check "select waits for both probes" hwrngctl select virtio_rng.0
	check "the first probe finds a healthy source" wait $first
	check "the second probe finds a healthy source" wait $second
	check_equal "virtio_rng.0 is restored after both probes" virtio_rng.0 "$(cat $hw_random/rng_current)"

	# The reader of its output has ended. SIGPIPE must not end the probe in the middle.
	hwrngctl test --source tpm_rng.0 --blocks 1 2>&1 | true
	check_equal "virtio_rng.0 is restored after a probe with a closed pipe" virtio_rng.0 "$(cat $hw_random/rng_current)"
}
