# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2154
description="health tests: a source that fails again and again is withdrawn, until root asks for it"
kernels=6.1 kernels_why="it takes over a minute; make long-test runs it on the other kernels"
timeout=240
tpm=none
[ "$arch" != amd64 ] || cpu=max,-rdseed
source=$(cpu_source)

hw_random=/sys/class/misc/hw_random
stats=/sys/module/cpu_rng/$source

stat() { cat "$stats"/"$1"; }
uptime() { cut -d. -f1 /proc/uptime; }
read_rng() { dd if=/dev/hwrng of=/dev/null bs=64 count="$1" 2>/dev/null; }
served() { dd if=/dev/hwrng bs=64 count="$1" 2>/dev/null | wc -c; }

guest() {
	# As found: 100 bad bytes after every 4 KiB. Whoever may read drives it.
	check "the module with faults loads" insmod /faults/cpu_rng.ko fault_value=171
	echo "$source" >$hw_random/rng_current
	check "it serves" read_rng 1
	echo 4096 >/sys/module/cpu_rng/parameters/fault_flap
	before=$(stat bytes) lines=$(dmesg | wc -l) begin=$(uptime) last=0 failures=
	until [ "$(stat state)" = withdrawn ] || [ $(($(uptime) - begin)) -gt 150 ]; do
		read_rng 1000
		now=$(stat recent_failures)
		[ "$now" = $last ] || failures="$failures $(($(uptime) - begin))"
		last=$now
		usleep 50000
	done
	took=$(($(uptime) - begin)) bytes=$(($(stat bytes) - before)) lines=$(($(dmesg | wc -l) - lines))
	tell "failures after$failures s; $bytes bytes served, $lines lines in the log"
	check_equal "it is withdrawn" withdrawn "$(stat state)"
	check_equal "that took eight failures" 8 "$(stat recent_failures)"
	check "the pauses between them grew to 32 s (63 s in all; it took $took s)" test $took -ge 60
	check "at most 4 KiB were served before each failure ($bytes bytes)" test $bytes -le 32768
	check "the log has at most two lines for each failure, and one about the end ($lines)" test "$lines" -le 17
	check_equal "the log says what to do, once" 1 "$(dmesg | grep -c "$source is withdrawn after 8 failures; to test it again, write start-up to its attribute state")"

	check_equal "a withdrawn source serves nothing" 0 "$(served 100)"
	echo 0 >/sys/module/cpu_rng/parameters/fault_flap
	sleep 2
	check_equal "not even when the fault has gone" 0 "$(served 100)"
	check_equal "it stays withdrawn" withdrawn "$(stat state)"
	check "root asks for it" eval 'echo start-up >"$stats"/state'
	check_equal "it passes the start-up test and serves" 6400 "$(served 100)"
	check_equal "its state is healthy" healthy "$(stat state)"
	check_equal "its failures are forgotten" 0 "$(stat recent_failures)"
	check "the module unloads" rmmod cpu_rng
}
