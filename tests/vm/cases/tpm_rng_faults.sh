# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a chip that fails is left alone for a while, and re-tested before it serves again"

hw_random=/sys/class/misc/hw_random
stats=/sys/module/tpm_rng/tpm_rng.0

fault() { echo "$2" >/sys/module/tpm_rng/parameters/fault_"$1"; }
stat() { cat $stats/"$1"; }
read_rng() { timeout 10 dd if=/dev/hwrng of=/dev/null bs=64 count=1; }
available() { tr ' ' '\n' <$hw_random/rng_available | grep -qx tpm_rng.0; }

tried_again() {
	read_rng
	[ "$(stat retries)" -gt "$retries" ]
}
# The fault is met within a window of 512 bytes.
failed() {
	read_rng
	[ "$(stat state)" = failed ]
}

# until_ok SECONDS COMMAND...: leaves in $tries how often it failed before.
until_ok() {
	limit=$(($(cut -d. -f1 /proc/uptime) + $1)) tries=0
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$(cut -d. -f1 /proc/uptime)" -lt $limit ] || return
		usleep 20000
	done
}

guest() {
	check "the module with faults loads" insmod /faults/tpm_rng.ko duplicate=1
	echo tpm_rng.0 >$hw_random/rng_current
	check "it serves" read_rng

	# Pitfall 3 for a TPM.
	fault error 5
	errors=$(stat errors)
	check "first mark" tpm_mark
	for i in 1 2 3 4 5 6 7 8 9 10; do
		read_rng 2>&1 | grep -c 'Input/output error\|I/O error'
	done >/tmp/errors
	check_equal "pitfall 3: ten readers get EIO, at once" 10 "$(grep -c 1 /tmp/errors)"
	check "second mark" tpm_mark
	check "the errors are counted" test $(($(stat errors) - errors)) -ge 10
	check_equal "the chip is left alone" back-off "$(stat state)"
	check_equal "the log says so once" 1 "$(dmesg | grep -c 'tpm_rng.0: the TPM returns no random bytes: -5')"
	retries=$(stat retries)
	check "after a while it is tried again, and that is counted" until_ok 20 tried_again
	check_equal "but it is still left alone" back-off "$(stat state)"
	fault error 0
	check "a chip that recovered serves again" until_ok 20 read_rng
	check_equal "and is healthy" healthy "$(stat state)"

	fault value 171
	fault stick 100
	check "the source fails" until_ok 10 failed
	check_fails "bytes that stick are an error" 1 read_rng
	check_equal "the log says so once" 1 "$(dmesg | grep -c 'tpm_rng.0 failed the repetition count test')"
	fault stick 0
	check "it serves again" until_ok 30 read_rng
	# 1024 bytes by 64, less what khwrngd read.
	check "after the start-up test, one command a read: $tries reads" test "$tries" -ge 10
	check_equal "and is healthy" healthy "$(stat state)"
	check "the module unloads" rmmod tpm_rng

	# The start-up test fails.
	check "the module loads, although the TPM fails" insmod /faults/tpm_rng.ko duplicate=1 fault_error=5
	check_fails "which is not offered" 1 available
	check_equal "the log says that it waits" 1 "$(dmesg | grep -c 'tpm_rng.0 is not registered yet, start-up test failed: -5')"
	check_equal "and so does its state" start-up "$(stat state)"
	check "it can be unloaded meanwhile" timeout 5 rmmod tpm_rng
	check "and loaded" insmod /faults/tpm_rng.ko duplicate=1 fault_error=5
	check "third mark" tpm_mark
	sleep 8
	check "fourth mark" tpm_mark
	check_equal "after some tries it is left alone" back-off "$(stat state)"
	fault error 0
	check "a chip that recovers is offered" until_ok 40 available
	check_match "and registered" 'tpm_rng\.0 registered' "$(dmesg | tail -n 3)"
	echo tpm_rng.0 >$hw_random/rng_current
	check "it serves" read_rng
	check "the module unloads again" rmmod tpm_rng
}

after() {
	check_match "ten reads of a failing chip were three commands, or one more" '^[34]$' "$(tpm_getrandom_between_marks 1)"
	check_match "a chip that waits was tried with growing pauses" '^[23]$' "$(tpm_getrandom_between_marks 3)"
}
