# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="stress: three TPMs are plugged and unplugged again and again (5 rounds; debug kernel: 60)"
programs="/usr/bin/swtpm"
[ "$flavour" != debug ] || timeout=600

hw_random=/sys/class/misc/hw_random

ours() { tr ' ' '\n' <$hw_random/rng_available | grep -c '^tpm_rng\.'; }

# A zombie has no executable.
runs() { [ -e "/proc/$1/exe" ]; }

# await COUNT [SWTPM...]: waits until we serve COUNT TPMs, or one of these processes has ended. The kernel
# gives up on a TPM that needs more than 2 s for a command, which may happen in a slow guest. Then its swtpm
# ends.
gave_up=0
await() {
	count=$1 tries=0
	shift
	until [ "$(ours)" -eq "$count" ]; do
		for process; do
			runs "$process" && continue
			gave_up=$((gave_up + 1))
			return 0
		done
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return
		usleep 50000
	done
}

# storm N: plugs and unplugs TPMs: some after they serve, some while they are read, some before they are ready.
storm() {
	plug 1
	first=$swtpm
	plug 2
	second=$swtpm
	await 3 "$first" "$second" || return
	tpm=$(tr ' ' '\n' <$hw_random/rng_available | grep '^tpm_rng\.' | tail -n 1)
	# Safe on 5.10: it deadlocks only if the next source has no quality, but ours have one.
	echo "$tpm" >$hw_random/rng_current
	dd if=/dev/hwrng of=/dev/null bs=64 count=100000 2>/dev/null &
	reader=$!
	plug 3
	third=$swtpm
	case $1 in
	*[02468]) kill -9 "$third" ;;
	*) kill "$second" ;;
	esac
	kill -9 "$first" "$second" "$third" 2>/dev/null
	wait "$first" "$second" "$third"
	await 1 || return
	kill $reader 2>/dev/null
	wait $reader
	true
}

guest() {
	rounds=5
	[ "$flavour" != debug ] || rounds=60
	check "the TPM proxy loads" modprobe tpm_vtpm_proxy
	check "the module loads" modprobe tpm_rng duplicate=1
	i=0
	while [ $i -lt $rounds ]; do
		i=$((i + 1))
		storm $i || break
	done 2>/tmp/storm
	tell "$i rounds of plug and unplug within $(cut -d. -f1 /proc/uptime) s"
	diag "$(cat /tmp/storm)"
	check_equal "all rounds of plug and unplug succeed" $rounds "$i"
	check "the kernel gave up on a TPM in less than a third of the rounds ($gave_up times)" test $((gave_up * 3)) -lt $rounds
	check_equal "the TPM that stayed is the only source" 1 "$(ours)"
	check_equal "this TPM serves" 64 "$(echo tpm_rng.0 >$hw_random/rng_current; dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"

	# The module is unloaded and loaded while TPMs are plugged and unplugged.
	plug 1
	first=$swtpm
	check "a plugged TPM appears" await 2
	plug 2
	second=$swtpm
	check "the module unloads while a TPM is being plugged" rmmod tpm_rng
	kill -9 "$first"
	check "the module loads while a TPM is being unplugged" modprobe tpm_rng duplicate=1
	kill -9 "$second"
	wait "$first" "$second"
	check "the remaining TPM is served" await 1
	check "the modules unload" rmmod tpm_rng tpm_vtpm_proxy
}
