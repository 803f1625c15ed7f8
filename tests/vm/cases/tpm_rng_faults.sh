# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a failing chip is not read for a while, and tested again before it serves"

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
# failed: reads, and succeeds if the source has failed. That takes up to a window of 512 bytes.
failed() {
	read_rng
	[ "$(stat state)" = failed ]
}

# until_ok SECONDS COMMAND...: runs it until it succeeds. Sets $tries to the number of failures before.
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
	check "tpm_rng.0 serves" read_rng

	# Pitfall 3 for a TPM.
	fault error 5
	errors=$(stat errors)
	check "first mark" tpm_mark
	for i in 1 2 3 4 5 6 7 8 9 10; do
		read_rng 2>&1 | grep -c 'Input/output error\|I/O error'
	done >/tmp/errors
	check_equal "pitfall 3: each of ten readers gets EIO at once" 10 "$(grep -c 1 /tmp/errors)"
	check "second mark" tpm_mark
	check "the errors are counted" test $(($(stat errors) - errors)) -ge 10
	check_equal "the state is back-off" back-off "$(stat state)"
	check_equal "the log has the error, once" 1 "$(dmesg | grep -c 'tpm_rng.0: the TPM returns no random bytes: -5')"
	retries=$(stat retries)
	check "after a while the chip is read again, and the retry is counted" until_ok 20 tried_again
	check_equal "the state is still back-off" back-off "$(stat state)"
	fault error 0
	check "a chip that recovered serves again" until_ok 20 read_rng
	check_equal "the state is healthy" healthy "$(stat state)"

	fault value 171
	fault stick 100
	check "repeated bytes make the source fail" until_ok 10 failed
	check_fails "a read of repeated bytes fails" 1 read_rng
	check_equal "the log has the failed test, once" 1 "$(dmesg | grep -c 'tpm_rng.0 failed the repetition count test')"
	fault stick 0
	check "the source serves again" until_ok 30 read_rng
	# 1024 bytes with 32 per read, minus the reads by khwrngd.
	check "the start-up test ran one command per read before ($tries reads)" test "$tries" -ge 10
	check_equal "the state is healthy again" healthy "$(stat state)"
	check "the module unloads" rmmod tpm_rng

	# The start-up test fails.
	check "the module loads although the TPM fails" insmod /faults/tpm_rng.ko duplicate=1 fault_error=5
	check_fails "the failing TPM is not available as hwrng" 1 available
	check_equal "the log says that it is not registered yet" 1 "$(dmesg | grep -c 'tpm_rng.0 is not registered yet, start-up test failed: -5')"
	check_equal "the state is start-up" start-up "$(stat state)"
	check "the module can be unloaded meanwhile" timeout 5 rmmod tpm_rng
	check "the module can be loaded again" insmod /faults/tpm_rng.ko duplicate=1 fault_error=5
	# Not the TPM, which the kernel would read while it is current on a generic kernel.
	echo virtio_rng.0 >$hw_random/rng_current
	check "third mark" tpm_mark
	sleep 8
	check "fourth mark" tpm_mark
	check_equal "after some tries the state is back-off" back-off "$(stat state)"
	fault error 0
	check "a chip that recovers becomes available" until_ok 40 available
	check_match "the log shows the registration" 'tpm_rng\.0 registered' "$(dmesg | tail -n 3)"
	echo tpm_rng.0 >$hw_random/rng_current
	check "the recovered chip serves" read_rng
	check "the module unloads again" rmmod tpm_rng
}

after() {
	# khwrngd may have read before the first mark.
	check_match "ten reads of a failing chip were two to four commands" '^[2-4]$' "$(tpm_getrandom_between_marks 1)"
	check_match "a chip that is not registered yet was tried with growing pauses" '^[23]$' "$(tpm_getrandom_between_marks 3)"
}
