# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl does not take the framework's leftovers of another source for ours (pitfall 9)"
programs="build/hwrngctl"
rng=ones
cpu=max,-rdseed
arches=amd64 arches_why="it uses sources of amd64"

hw_random=/sys/class/misc/hw_random
source=cpu_rng.rdrand

# leave_ones: reads one byte of 64 from a source that returns only one bits.
leave_ones() {
	echo virtio_rng.0 >$hw_random/rng_current
	dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null
	[ "$(dd if=/dev/hwrng bs=1 count=1 2>/dev/null | xxd -p)" = ff ]
}

guest() {
	check "the module loads" modprobe cpu_rng
	check "63 bytes of another source are left over" leave_ones
	echo "$source" >$hw_random/rng_current
	dd if=/dev/hwrng of=/tmp/a bs=64 count=1 2>/dev/null
	dd if=/dev/hwrng of=/tmp/b bs=64 count=1 2>/dev/null
	# A read by khwrngd in between does not matter, because it has its own buffer.
	check_match "the first read from ours begins with the leftovers" '(ff){40}' "$(xxd -p /tmp/a | tr -d '\n')"
	check_fails "the second read from ours has none of them" 1 sh -c "xxd -p /tmp/b | tr -d '\n' | grep -E '(ff){8}'"
	check "63 bytes are left over again" leave_ones
	check "pitfall 9: hwrngctl discards the leftovers before its test" hwrngctl test --source "$source" --blocks 2
	check "the module unloads" rmmod cpu_rng
}
