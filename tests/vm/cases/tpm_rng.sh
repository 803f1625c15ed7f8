# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2119,SC2120
description="tpm_rng: a TPM 2.0 becomes tpm_rng.0 and is read with 32 bytes per command"

hw_random=/sys/class/misc/hw_random

# load [PARAMETER...]: on a generic kernel it registers our source beside the kernel's own.
load() {
	case $(uname -r) in
	*-cloud-*) modprobe tpm_rng "$@" ;;
	*) modprobe tpm_rng duplicate=1 "$@" ;;
	esac
}

available() { tr ' ' '\n' <$hw_random/rng_available; }
absent() { ! available | grep -qx tpm_rng.0; }

# select_rng NAME: also discards up to 63 bytes of the previous source that the framework may hold.
select_rng() {
	echo "$1" >$hw_random/rng_current
	[ "$(cat $hw_random/rng_current)" = "$1" ] && dd if=/dev/hwrng of=/dev/null bs=64 count=1
}

# log: prints the module's messages, without the kernel's own about unsigned modules and bad parameters.
log() { dmesg | grep 'tpm_rng: ' | grep -v -e taint -e 'invalid for parameter'; }

count_bytes() { dd if=/dev/hwrng "$@" 2>/dev/null | wc -c; }

guest() {
	check "tpm_rng.0 is not there before" absent
	check "the module loads" load
	check_equal "tpm_rng.0 is available" tpm_rng.0 "$(available | grep -x 'tpm_rng.0')"
	check_match "the log shows the registration" 'tpm_rng: tpm_rng\.0 registered, TPM 2\.0, quality 512$' "$(dmesg)"
	check_equal "the log has only one line about it" 1 "$(log | wc -l)"

	check "tpm_rng.0 can be selected" select_rng tpm_rng.0
	[ ! -e $hw_random/rng_quality ] ||
		check_equal "pitfall 2: its quality is 512" 512 "$(cat $hw_random/rng_quality)"
	check "first mark" tpm_mark
	check_equal "4 KiB can be read" 4096 "$(count_bytes bs=64 count=64)"
	check "second mark" tpm_mark
	dd if=/dev/hwrng of=/tmp/a bs=64 count=1 2>/dev/null
	dd if=/dev/hwrng of=/tmp/b bs=64 count=1 2>/dev/null
	check_fails "two reads differ" 1 cmp -s /tmp/a /tmp/b

	check "the module unloads" rmmod tpm_rng
	check "tpm_rng.0 is gone" absent
	check "the module is gone" test ! -d /sys/module/tpm_rng
	check_equal "another source serves" 64 "$(count_bytes bs=64 count=1)"

	for bad in 0 513 65536 -1 x; do
		check_fails "pitfalls 1 and 2: quality=$bad is refused" 1 load quality=$bad
	done
	check_match "the log has the reason" 'tpm_rng: quality 513 of each TPM is out of range: 1 to 512' "$(dmesg)"
	for good in 1 511; do
		check "quality=$good is accepted" load quality=$good
		check_match "the log shows quality $good" "registered, TPM 2\.0, quality $good\$" "$(dmesg)"
		check "the module unloads again" rmmod tpm_rng
	done

	# The module is unloaded while a reader reads all the time.
	check "the module loads again" load
	check "tpm_rng.0 can be selected again" select_rng tpm_rng.0
	dd if=/dev/hwrng of=/tmp/stream bs=64 count=100000 2>/tmp/reader &
	reader=$!
	sleep 1
	check "the module unloads under a reader" timeout 10 rmmod tpm_rng
	kill $reader 2>/dev/null
	wait $reader
	check "the reader got data until then" test -s /tmp/stream
	check "tpm_rng.0 is gone again" absent

	for round in 1 2 3 4 5; do
		load || break
		rmmod tpm_rng || break
	done >/tmp/rounds 2>&1
	check_equal "five more rounds of load and unload succeed" "5 " "$round $(cat /tmp/rounds)"
	check_equal "the log has no other message" "" "$(log | grep -v -e registered -e 'is out of range')"
}

after() {
	# khwrngd may also read once or twice.
	check_match "pitfall 4: a read of 4 KiB is 128 commands, so none is long" '^1(2[89]|3[0-2])$' "$(tpm_getrandom_between_marks)"
}
