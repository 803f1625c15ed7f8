# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: wrong names, wrong words, an ordinary user"
programs="build/hwrngctl /usr/bin/jq"

hw_random=/sys/class/misc/hw_random

guest() {
	check_fails "select nonsense" 3 hwrngctl select nonsense
	check_match "names what exists" 'no hwrng "nonsense"\. Available: virtio_rng\.0\.' "$(cat "$output")"
	check_equal "and changes nothing" virtio_rng.0 "$(cat $hw_random/rng_current)"
	check_fails "select without a name" 2 hwrngctl select
	check_fails "a wrong command" 2 hwrngctl frobnicate
	check_fails "an unknown source" 3 hwrngctl feed --once --source nonsense
	check_match "names what exists" 'it has: virtio_rng\.0, tpmrm0' "$(cat "$output")"

	as_user hwrngctl status >/tmp/status 2>&1
	check_equal "an ordinary user reads the status" 0 $?
	check_match "and learns who may load" 'CAP_SYS_MODULE: run as root' "$(cat /tmp/status)"
	check_match "and what is in use" 'virtio_rng\.0' "$(cat /tmp/status)"
	check "the list" as_user hwrngctl list
	for command in "select virtio_rng.0" "load cpu" "feed --once" "test --source virtio_rng.0" "test --source tpmrm0" "bench --source virtio_rng.0"; do
		# shellcheck disable=SC2086
		check_fails "an ordinary user may not: $command" 4 as_user hwrngctl $command
		check_match "and is told what is needed" 'root' "$(cat "$output")"
	done
	ln -s /usr/bin/kmod /sbin/modprobe # by which the kernel loads what its jitter takes
	as_user hwrngctl bench --seconds 0.1 >/tmp/bench 2>&1
	check_equal "an ordinary user measures what may be read" 0 $?
	check_match "the CPU's instruction" '^rdrand +[0-9.]+ [kM]?B/s' "$(cat /tmp/bench)"
	check_match "and is told what the others need" '^tpmrm0 .*root' "$(cat /tmp/bench)"
	dd if=/dev/urandom of=/tmp/good bs=2504 count=1 2>/dev/null
	chmod 644 /tmp/good
	check_match "an ordinary user may test files" '^[01]$' "$(as_user hwrngctl test /tmp/good >/dev/null 2>&1; echo $?)"
	check "load cpu as root" hwrngctl load cpu
	check_fails "an ordinary user may not unload" 4 as_user hwrngctl unload cpu
	check "unload cpu as root" hwrngctl unload cpu
}
