# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: wrong names, wrong commands, an ordinary user"
programs="build/hwrngctl /usr/bin/jq"

hw_random=/sys/class/misc/hw_random

guest() {
	check_fails "select fails with an unknown name" 3 hwrngctl select nonsense
	check_match "select lists the hwrngs" 'no hwrng "nonsense"\. Available: virtio_rng\.0\.' "$(cat "$output")"
	check_equal "select changed nothing" virtio_rng.0 "$(cat $hw_random/rng_current)"
	check_fails "select fails without a name" 2 hwrngctl select
	check_fails "an unknown command fails" 2 hwrngctl frobnicate
	check_fails "feed fails with an unknown source" 3 hwrngctl feed --once --source nonsense
	check_match "feed lists the sources" 'Its sources are: virtio_rng\.0, tpmrm0' "$(cat "$output")"

	as_user hwrngctl status >/tmp/status 2>&1
	check_equal "an ordinary user can read the status" 0 $?
	check_match "status says who may load modules" 'CAP_SYS_MODULE: run as root' "$(cat /tmp/status)"
	check_match "status says what is in use" 'virtio_rng\.0' "$(cat /tmp/status)"
	check "an ordinary user can read the list" as_user hwrngctl list
	for command in "select virtio_rng.0" "load cpu" "feed --once" "test --source virtio_rng.0" "test --source tpmrm0" "bench --source virtio_rng.0"; do
		# shellcheck disable=SC2086
		check_fails "an ordinary user may not: $command" 4 as_user hwrngctl $command
		check_match "the message says which rights are needed: $command" 'root' "$(cat "$output")"
	done
	ln -s /usr/bin/kmod /sbin/modprobe # the kernel needs it to load modules for its jitter
	as_user hwrngctl bench --seconds 0.1 >/tmp/bench 2>&1
	check_equal "an ordinary user can measure readable sources" 0 $?
	check_match "bench measures the CPU's instruction" '^rdrand +[0-9.]+ [kM]?B/s' "$(cat /tmp/bench)"
	check_match "bench says which rights the others need" '^tpmrm0 .*root' "$(cat /tmp/bench)"
	dd if=/dev/urandom of=/tmp/good bs=2504 count=1 2>/dev/null
	chmod 644 /tmp/good
	check_match "an ordinary user may test files" '^[01]$' "$(as_user hwrngctl test /tmp/good >/dev/null 2>&1; echo $?)"
	check "load cpu as root" hwrngctl load cpu
	check_fails "an ordinary user may not unload" 4 as_user hwrngctl unload cpu
	check "unload cpu as root" hwrngctl unload cpu
}
