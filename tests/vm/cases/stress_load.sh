# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="stress: both modules are loaded and unloaded 1000 times (other kernels: 50 times)"
[ "$flavour" != debug ] || timeout=1200

hw_random=/sys/class/misc/hw_random

has_ours() { grep -Eqw '(tpm|cpu)_rng\.[a-z0-9]+' $hw_random/rng_available; }

# On a generic kernel tpm_rng registers our source beside the kernel's own.
load() { modprobe cpu_rng && modprobe tpm_rng duplicate=1; }

# cycle N: loads and unloads both modules. In one of ten rounds they are unloaded while cpu_rng is read, and
# in another one after a read from the TPM. It uses busybox, because on a debug kernel it takes as long to
# start modprobe, with its libraries, as to load both modules.
cycle() {
	busybox insmod "$cpu_rng" && busybox insmod "$tpm_rng" duplicate=1 && has_ours || return
	case $1 in
	*0)
		cpu_source >$hw_random/rng_current
		dd if=/dev/hwrng of=/dev/null bs=64 count=100000 2>/dev/null &
		;;
	*5)
		await_rng tpm_rng.0 || return
		echo tpm_rng.0 >$hw_random/rng_current
		dd if=/dev/hwrng of=/dev/null bs=64 count=2 2>/dev/null
		;;
	esac
	busybox rmmod tpm_rng && busybox rmmod cpu_rng || return
	case $1 in *0) kill $! && wait $! ;; esac
	! has_ours
}

guest() {
	cycles=50
	[ "$flavour" != debug ] || cycles=1000
	check "both modules load" load
	check "both modules unload" rmmod tpm_rng cpu_rng
	cpu_rng=$(modinfo -n cpu_rng) tpm_rng=$(modinfo -n tpm_rng)
	i=0
	while [ $i -lt $cycles ]; do
		i=$((i + 1))
		cycle $i || break
		[ $((i % 100)) != 0 ] || echo "$i cycles after $(cut -d' ' -f1 /proc/uptime) s" >/dev/console
	done
	tell "$i cycles of load and unload within $(cut -d. -f1 /proc/uptime) s"
	check_equal "all cycles of load and unload succeed" $cycles "$i"
	check_fails "no source of ours is left" 1 has_ours
	check_equal "another source serves" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
	check "both modules load again" load
	check "both modules unload again" rmmod tpm_rng cpu_rng
}
