# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2154
description="health tests: 1 GiB of each instruction without a false alarm"
long=1
timeout=1800
# QEMU 7 does not emulate RDSEED.
[ "$arch" != amd64 ] || qemu=8

hw_random=/sys/class/misc/hw_random

guest() {
	check "the module loads" modprobe cpu_rng
	for name in $(cpu_sources); do
		stats=/sys/module/cpu_rng/$name
		echo "$name" >$hw_random/rng_current
		dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null
		start=$(cut -d. -f1 /proc/uptime)
		check_equal "1 GiB can be read from $name" 1073741824 "$(dd if=/dev/hwrng bs=64k count=16384 iflag=fullblock 2>/dev/null | wc -c)"
		tell "$name: 1 GiB in $(($(cut -d. -f1 /proc/uptime) - start)) s"
		check_equal "$name: no test failed" "0 0 0 0 0" "$(cat "$stats"/*_failures | xargs)"
		check_equal "$name: it is healthy" healthy "$(cat "$stats"/state)"
	done
	check "the module unloads" rmmod cpu_rng
}
