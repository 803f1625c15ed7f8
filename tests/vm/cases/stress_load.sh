# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="stress: both modules are loaded and unloaded 1000 times (debug kernel; elsewhere 50)"
[ "$flavour" != debug ] || timeout=1200

hw_random=/sys/class/misc/hw_random

has_ours() { grep -Eqw '(tpm|cpu)_rng\.[a-z0-9]+' $hw_random/rng_available; }

# Each round ends with a read of ours, every tenth goes away under a reader.
cycle() {
	modprobe -a cpu_rng && modprobe tpm_rng duplicate=1 && has_ours || return
	case $1 in
	*0)
		echo cpu_rng.rdrand >$hw_random/rng_current
		dd if=/dev/hwrng of=/dev/null bs=64 count=100000 2>/dev/null &
		;;
	*5)
		echo tpm_rng.0 >$hw_random/rng_current
		dd if=/dev/hwrng of=/dev/null bs=64 count=2 2>/dev/null
		;;
	esac
	rmmod tpm_rng cpu_rng || return
	case $1 in *0) kill $! && wait $! ;; esac
	! has_ours
}

guest() {
	cycles=50
	[ "$flavour" != debug ] || cycles=1000
	i=0
	while [ $i -lt $cycles ]; do
		i=$((i + 1))
		cycle $i || break
		[ $((i % 100)) != 0 ] || echo "$i cycles after $(cut -d' ' -f1 /proc/uptime) s" >/dev/console
	done
	diag "$i cycles in $(cut -d' ' -f1 /proc/uptime) s"
	check_equal "cycles of load and unload" $cycles "$i"
	check_fails "nothing of ours is left" 1 has_ours
	check_equal "another source serves" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
	check "both load once more" modprobe -a cpu_rng tpm_rng
	check "and unload" rmmod tpm_rng cpu_rng
}
