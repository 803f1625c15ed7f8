# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng: RDRAND becomes cpu_rng.rdrand if an administrator loads the module"
arches=amd64 arches_why="x86 instructions; cpu_rng_arches is the case for others"
cpu=max,-rdseed

hw_random=/sys/class/misc/hw_random

available() { tr ' ' '\n' <$hw_random/rng_available | grep '^cpu_rng' | tr '\n' ' '; }
select_rng() {
	echo "$1" >$hw_random/rng_current
	[ "$(cat $hw_random/rng_current)" = "$1" ] && dd if=/dev/hwrng of=/dev/null bs=64 count=1
}
count_bytes() { dd if=/dev/hwrng "$@" 2>/dev/null | wc -c; }

guest() {
	check_equal "no source of ours is there before" "" "$(available)"
	check_equal "the module has no alias, so that no machine loads it by itself" "" "$(modinfo -F alias cpu_rng)"
	rm -f /etc/modprobe.d/held-back.conf
	coldplug
	check_fails "the module is not loaded by itself" 1 test -d /sys/module/cpu_rng
	check "modprobe succeeds" modprobe cpu_rng
	check_equal "only RDRAND is available" "cpu_rng.rdrand " "$(available)"
	check_match "the log shows the registration" 'cpu_rng: cpu_rng\.rdrand registered, quality 4$' "$(dmesg)"
	check_equal "the log has only one line about it" 1 "$(dmesg | grep 'cpu_rng: ' | grep -vc taint)"

	check "cpu_rng.rdrand can be selected" select_rng cpu_rng.rdrand
	[ ! -e $hw_random/rng_quality ] ||
		check_equal "pitfall 2: its quality is 4" 4 "$(cat $hw_random/rng_quality)"
	check_equal "1 MiB can be read" 1048576 "$(count_bytes bs=64k count=16 iflag=fullblock)"
	dd if=/dev/hwrng of=/tmp/a bs=64 count=1 2>/dev/null
	dd if=/dev/hwrng of=/tmp/b bs=64 count=1 2>/dev/null
	check_fails "two reads differ" 1 cmp -s /tmp/a /tmp/b

	dd if=/dev/hwrng of=/tmp/stream bs=64 count=100000 2>/tmp/reader &
	reader=$!
	sleep 1
	check "the module unloads under a reader" timeout 10 rmmod cpu_rng
	kill $reader 2>/dev/null
	wait $reader
	check "the reader got data until then" test -s /tmp/stream
	check_equal "no source of ours stays" "" "$(available)"

	for bad in 0 513 65536 -1 x; do
		check_fails "pitfalls 1 and 2: rdrand_quality=$bad is refused" 1 modprobe cpu_rng rdrand_quality=$bad
	done
	check_fails "pitfalls 1 and 2: rdseed_quality=0 is refused" 1 modprobe cpu_rng rdseed_quality=0
	check_match "the log says why" 'cpu_rng: quality 513 of cpu_rng.rdrand is out of range: 1 to 512' "$(dmesg)"
	check "rdrand_quality=512 is accepted" modprobe cpu_rng rdrand_quality=512
	check_match "the quality is 512" 'rdrand registered, quality 512$' "$(dmesg)"
	check "the module unloads" rmmod cpu_rng
}
