# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2154
description="cpu_rng: an instruction that returns nothing, little, or too late (pitfall 3)"
tpm=none
programs=/bin/dd
# A Haswell, which has SRBDS.
[ "$arch" != amd64 ] || cpu=max,-rdseed,vendor=GenuineIntel,family=6,model=60,stepping=3
source=$(cpu_source) block=$(hwrng_block)

hw_random=/sys/class/misc/hw_random
stats=/sys/module/cpu_rng/$source

fault() { echo "$2" >/sys/module/cpu_rng/parameters/fault_"$1"; }
stat() { cat $stats/"$1"; }
read_rng() { timeout 10 /usr/bin/dd if=/dev/hwrng of=/tmp/bytes "$@"; }
# Polls, because khwrngd may read between the two files. An error that is not counted would never appear.
eventually_all_errors() {
	for i in $(seq 50); do
		[ $(($(stat reads) - reads)) != $(($(stat errors) - errors)) ] || return 0
		usleep 100000
	done
	false
}
# milliseconds COMMAND...: prints how long it took.
milliseconds() {
	start=$(cut -d' ' -f1 /proc/uptime | tr -d .)
	"$@" >/dev/null 2>&1
	echo $((($(cut -d' ' -f1 /proc/uptime | tr -d .) - start) * 10))
}

guest() {
	check "the module with faults loads" insmod /faults/cpu_rng.ko
	echo "$source" >$hw_random/rng_current
	check "the source serves" read_rng bs=$block count=1
	[ "$arch" != amd64 ] ||
		check_equal "the log says that a read locks the memory bus" 1 "$(dmesg | grep -c 'cpu_rng: this CPU has SRBDS')"

	fault starve 1
	reads=$(stat reads) errors=$(stat errors) retries=$(stat retries)
	check_fails "pitfall 3: a blocking reader of a starved source gets an error" 1 read_rng bs=$block count=1
	check_match "pitfall 3: the error is EIO" 'Input/output error' "$(cat "$output")"
	# khwrngd may also read once.
	check "pitfall 3: the framework made only a few reads, not a busy loop" test $(($(stat reads) - reads)) -le 3
	check "each of these reads is counted as an error" eventually_all_errors
	check "the retries are counted" test $(($(stat retries) - retries)) -ge 32
	check_fails "a reader with O_NONBLOCK gets an error" 1 read_rng bs=$block count=1 iflag=nonblock
	check_match "the error is EAGAIN" 'Resource temporarily unavailable' "$(cat "$output")"
	fault starve 0
	check "the source serves again" read_rng bs=$block count=1
	check "the source serves with O_NONBLOCK" read_rng bs=$block count=1 iflag=nonblock

	fault short 5
	check "16 blocks can be read from a source that returns 5 bytes per read" read_rng bs=$block count=16 iflag=fullblock
	check_equal "all of them arrived" $((16 * block)) "$(wc -c </tmp/bytes)"
	fault short 0

	stall=1000
	[ "$flavour" != debug ] || stall=4000
	fault stall $stall
	check "pitfall 4: a stalled read takes at least $stall ms" test "$(milliseconds read_rng bs=$block count=1)" -ge $stall
	/usr/bin/dd if=/dev/hwrng of=/dev/null bs=$block count=2 2>/dev/null &
	usleep 200000
	check "pitfall 4: sysfs answers during a stalled read" test "$(milliseconds cat $stats/state $hw_random/rng_current $hw_random/rng_available)" -lt $((stall / 2))
	check "pitfall 4: rmmod waits only for the reads in flight" test "$(milliseconds rmmod cpu_rng)" -lt $((6 * stall))
	wait
	check "the source is gone" test ! -d $stats

	check "the module loads while its source is starved" insmod /faults/cpu_rng.ko fault_starve=1
	check_fails "a starved source is not registered" 1 grep -qw "$source" $hw_random/rng_available
	check_equal "its state is starved" starved "$(stat state)"
	check_match "the log says that it is starved" "$source is not registered yet, it is starved\$" "$(dmesg)"
	fault starve 0
	check "it is registered when it is no longer starved" await_rng "$source"
	check_equal "its state is healthy then" healthy "$(stat state)"
	check "the module unloads" rmmod cpu_rng

	check "the module loads again" insmod /faults/cpu_rng.ko fault_starve=1
	check "the module unloads while its source is starved" timeout 10 rmmod cpu_rng
}
