# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2119,SC2120
description="tpm_rng: a TPM 2.0 becomes tpm_rng.0 and is read by 64 bytes a command"

hw_random=/sys/class/misc/hw_random

# On a generic kernel ours is registered beside the kernel's own.
load() {
	case $(uname -r) in
	*-cloud-*) modprobe tpm_rng "$@" ;;
	*) modprobe tpm_rng duplicate=1 "$@" ;;
	esac
}

available() { tr ' ' '\n' <$hw_random/rng_available; }
absent() { ! available | grep -qx tpm_rng.0; }

# The framework may hold up to 63 bytes of the source before.
select_rng() {
	echo "$1" >$hw_random/rng_current
	[ "$(cat $hw_random/rng_current)" = "$1" ] && dd if=/dev/hwrng of=/dev/null bs=64 count=1
}

# Ours, without what the kernel says about any unsigned module and of bad parameters.
log() { dmesg | grep 'tpm_rng: ' | grep -v -e taint -e 'invalid for parameter'; }

count_bytes() { dd if=/dev/hwrng "$@" 2>/dev/null | wc -c; }

guest() {
	check "no tpm_rng.0 before" absent
	check "the module loads" load
	check_equal "tpm_rng.0 is available" tpm_rng.0 "$(available | grep -x 'tpm_rng.0')"
	check_match "one line in the log says so" 'tpm_rng: tpm_rng\.0 registered, TPM 2\.0, quality 512$' "$(dmesg)"
	check_equal "and only one" 1 "$(log | wc -l)"

	check "it can be selected" select_rng tpm_rng.0
	[ ! -e $hw_random/rng_quality ] ||
		check_equal "pitfall 2: its quality is 512" 512 "$(cat $hw_random/rng_quality)"
	check "first mark" tpm_mark
	check_equal "4 KiB are read" 4096 "$(count_bytes bs=64 count=64)"
	check "second mark" tpm_mark
	dd if=/dev/hwrng of=/tmp/a bs=64 count=1 2>/dev/null
	dd if=/dev/hwrng of=/tmp/b bs=64 count=1 2>/dev/null
	check_fails "two reads differ" 1 cmp -s /tmp/a /tmp/b

	check "the module unloads" rmmod tpm_rng
	check "tpm_rng.0 is gone" absent
	check "and the module" test ! -d /sys/module/tpm_rng
	check_equal "another source serves" 64 "$(count_bytes bs=64 count=1)"

	for bad in 0 1025 65536 -1 x; do
		check_fails "pitfalls 1 and 2: quality=$bad is refused" 1 load quality=$bad
	done
	check_match "the log says why" 'tpm_rng: quality 1025 of each TPM is out of range: 1 to 1024' "$(dmesg)"
	for good in 1 1024; do
		check "quality=$good is taken" load quality=$good
		check_match "and used" "registered, TPM 2\.0, quality $good\$" "$(dmesg)"
		check "the module unloads again" rmmod tpm_rng
	done

	# A reader that never rests, and the module goes away under it.
	check "the module loads again" load
	check "it is selected again" select_rng tpm_rng.0
	dd if=/dev/hwrng of=/tmp/stream bs=64 count=100000 2>/tmp/reader &
	reader=$!
	sleep 1
	check "the module unloads under a reader" timeout 10 rmmod tpm_rng
	kill $reader 2>/dev/null
	wait $reader
	check "who had read until then" test -s /tmp/stream
	check "tpm_rng.0 is gone again" absent

	for round in 1 2 3 4 5; do
		load || break
		rmmod tpm_rng || break
	done >/tmp/rounds 2>&1
	check_equal "five more rounds of load and unload" "5 " "$round $(cat /tmp/rounds)"
	check_equal "no error in the log" "" "$(log | grep -v -e registered -e 'is out of range')"
}

after() {
	# khwrngd may read once or twice in between.
	check_match "pitfall 4: 4 KiB are 64 commands, none longer" '^6[4-6]$' "$(tpm_getrandom_between_marks)"
}
