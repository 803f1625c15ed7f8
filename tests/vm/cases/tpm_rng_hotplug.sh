# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a second TPM is plugged and unplugged, also while it is read (pitfall 5)"
programs=/usr/bin/swtpm
timeout=240

hw_random=/sys/class/misc/hw_random
stats=/sys/module/tpm_rng/tpm_rng.1

unplug() {
	kill -9 "$swtpm"
	wait "$swtpm" 2>/dev/null
}

available() { tr ' ' '\n' <$hw_random/rng_available | grep '^tpm_rng' | sort | tr '\n' ' '; }
# await "LIST ": waits some seconds until exactly these sources are available.
await() {
	for i in $(seq 200); do
		[ "$(available)" != "$1" ] || return 0
		usleep 50000
	done
	available
	false
}
# appears FILE: waits some seconds for the file. It never appears if the TPM is too slow for its driver.
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
	check "the TPM proxy loads" modprobe tpm_vtpm_proxy
	check "the module loads" modprobe tpm_rng duplicate=1
	check_equal "there is one source" "tpm_rng.0 " "$(available)"
	plug_in 1
	check "a plugged TPM becomes a second source" await "$both"
	check "the second source can be selected" select_rng tpm_rng.1
	check_equal "the second source can be read" 4096 "$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | wc -c)"

	# Stop the TPM, so that the reader is certainly inside the driver.
	exec 5<$stats/state
	kill -STOP "$swtpm"
	timeout 30 dd if=/dev/hwrng of=/dev/null bs=64 count=1000000 2>/tmp/reader &
	reader=$!
	usleep 500000
	unplug
	wait $reader
	check_equal "a reader of an unplugged TPM gets an error" 1 $?
	check_match "the error is ENODEV or EIO" 'No such device|I/O error|Input/output error' "$(cat /tmp/reader)"
	check "the source of the unplugged TPM is gone" await "tpm_rng.0 "
	check "the statistics of the unplugged TPM are gone" test ! -d $stats
	check_fails "a read of statistics that were opened before fails" 1 cat <&5
	exec 5<&-
	check_equal "another source serves" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"

	plug_in 1
	check "pitfall 5: the number of the unplugged TPM is used again" await "$both"
	check "the module unloads with two TPMs" timeout 10 rmmod tpm_rng
	check "the module loads with two TPMs" modprobe tpm_rng duplicate=1
	check_equal "both TPMs are available" "$both" "$(available)"
	unplug
	check "one of two TPMs is unplugged" await "tpm_rng.0 "

	# Unplug some TPMs as soon as they serve, some while they are read, some before they are ready.
	rounds=20
	[ "$flavour" != debug ] || rounds=50
	for round in $(seq $rounds); do
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
	check_equal "$rounds rounds of plug and unplug succeed" $rounds "$round"
	check "the first TPM is available" await "tpm_rng.0 "
	check "the first TPM can be selected" select_rng tpm_rng.0
	check_equal "the first TPM serves 4 KiB" 4096 "$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | wc -c)"
	check "the modules unload" rmmod tpm_rng tpm_vtpm_proxy
}
