# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a second TPM comes and goes, also while it is read (pitfall 5)"
arches=amd64 arches_why="swtpm for the guest is at hand for amd64 only"
programs=/usr/bin/swtpm
timeout=240

hw_random=/sys/class/misc/hw_random
stats=/sys/module/tpm_rng/tpm_rng.1

unplug() {
	kill -9 "$swtpm"
	wait "$swtpm" 2>/dev/null
}

available() { tr ' ' '\n' <$hw_random/rng_available | grep '^tpm_rng' | sort | tr '\n' ' '; }
# await "LIST ": until these are there; within seconds.
await() {
	for i in $(seq 200); do
		[ "$(available)" != "$1" ] || return 0
		usleep 50000
	done
	available
	false
}
# appears FILE: within seconds; a TPM that is too slow for its driver never does.
appears() {
	for i in $(seq 5000); do
		[ ! -e "$1" ] || return 0
		usleep 1000
	done
	false
}
select_rng() {
	echo "$1" >$hw_random/rng_current
	[ "$(cat $hw_random/rng_current)" = "$1" ]
}
both="tpm_rng.0 tpm_rng.1 "

guest() {
	check "the proxy of TPMs loads" modprobe tpm_vtpm_proxy
	check "the module loads" modprobe tpm_rng duplicate=1
	check_equal "there is one source" "tpm_rng.0 " "$(available)"
	plug 1
	check "a TPM that comes is a second one" await "$both"
	check "it can be selected" select_rng tpm_rng.1
	check_equal "and read" 4096 "$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | wc -c)"

	# It does not answer, so that the reader is inside the driver for sure.
	exec 5<$stats/state
	kill -STOP "$swtpm"
	timeout 30 dd if=/dev/hwrng of=/dev/null bs=64 count=1000000 2>/tmp/reader &
	reader=$!
	usleep 500000
	unplug
	wait $reader
	check_equal "who reads it when it goes ends with an error" 1 $?
	check_match "which is an honest one" 'No such device|I/O error|Input/output error' "$(cat /tmp/reader)"
	check "its source goes with it" await "tpm_rng.0 "
	check "and what it told about itself" test ! -d $stats
	check_fails "also for who has that open" 1 cat <&5
	exec 5<&-
	check_equal "another source serves" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"

	plug 1
	check "pitfall 5: its number was not pinned, and is used again" await "$both"
	check "the module unloads with two TPMs" timeout 10 rmmod tpm_rng
	check "and loads" modprobe tpm_rng duplicate=1
	check_equal "with two" "$both" "$(available)"
	unplug
	check "one goes" await "tpm_rng.0 "

	# Some go as soon as they serve, some while they are read, some half way.
	for round in $(seq 50); do
		plug 1
		case $round in
		*[05]) await "$both"; unplug ;;
		*[16])
			await "$both" && select_rng tpm_rng.1
			dd if=/dev/hwrng of=/dev/null bs=64 count=3 &
			usleep 20000
			unplug
			wait $!
			;;
		*[27]) appears /dev/tpm1; unplug ;;
		*[38]) appears $stats; unplug ;;
		*) usleep $((round * 10000)); unplug ;;
		esac
		await "tpm_rng.0 " || break
	done >/tmp/storm 2>&1
	check_equal "50 rounds of plug and unplug" 50 "$round"
	check "the first TPM is there" await "tpm_rng.0 "
	check "and serves" select_rng tpm_rng.0
	check_equal "without loss" 4096 "$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | wc -c)"
	check "the modules unload" rmmod tpm_rng tpm_vtpm_proxy
}
