# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2154
description="health tests: each on both sides of its cutoff; data that failed never leaves the driver"
tpm=none
[ "$arch" != amd64 ] || cpu=max,-rdseed
source=$(cpu_source) block=$(hwrng_block)

hw_random=/sys/class/misc/hw_random
stats=/sys/module/cpu_rng/$source

# faults NAME VALUE...: switches these on, and all others off.
faults() {
	for fault in stick bias block to lanes free; do
		echo 0 >/sys/module/cpu_rng/parameters/fault_$fault
	done
	while [ $# -ge 2 ]; do
		echo "$2" >/sys/module/cpu_rng/parameters/fault_"$1"
		shift 2
	done
}
failures() { cat "$stats"/"$1"_failures; }
all_failures() { cat "$stats"/*_failures | tr '\n' ' '; }
read_block() { dd if=/dev/hwrng of=/tmp/bytes bs=$block count=1; }
# again: succeeds as soon as the source serves. After its second failure it is left alone for 1 s.
again() {
	for i in $(seq 100); do
		read_block 2>/dev/null && return
		usleep 50000
	done
	false
}

# cutoff TEST PASSING FAILING: checks that the bytes pass with the faults PASSING, and fail with FAILING.
cutoff() {
	faults
	check "$1: the source starts anew" eval 'echo start-up >"$stats"/state && read_block'
	before=$(all_failures)
	faults $2
	check_equal "$1: the bytes pass with $2" $((1024 * block)) "$(dd if=/dev/hwrng bs=$block count=1024 2>/dev/null | wc -c)"
	check_equal "$1: $2 is not counted as a failure" "$before" "$(all_failures)"
	check_equal "$1: the source stays healthy with $2" healthy "$(cat "$stats"/state)"

	count=$(failures "$1") lines=$(dmesg | grep -c "$source failed the .*test, no data until")
	faults $3
	# Some reads may come before the part of the window that fails.
	dd if=/dev/hwrng of=/dev/null bs=$block count=24 conv=noerror 2>/dev/null
	check_fails "$1: a read fails with $3" 1 read_block
	check_match "$1: the read fails with EIO" 'Input/output error|I/O error' "$(cat "$output")"
	check "$1: the failure is counted" test "$(failures "$1")" -gt "$count"
	check_equal "$1: the failure is logged once" $((lines + 1)) "$(dmesg | grep -c "$source failed the .*test, no data until")"
	check_equal "$1: no data is served after the failure" 0 "$(dd if=/dev/hwrng bs=$block count=20 conv=noerror 2>/dev/null | wc -c)"
	check_equal "$1: the state of the source is failed" failed "$(cat "$stats"/state)"

	lines=$(dmesg | grep -c "$source passed the start-up test again")
	faults
	check "$1: without the fault, the source serves again" again
	check_equal "$1: the log says that it passed the start-up test" $((lines + 1)) "$(dmesg | grep -c "$source passed the start-up test again")"
	check_equal "$1: the new data has no bytes of the failed data" 0 "$(xxd -p /tmp/bytes | tr -d '\n' | grep -cE '(ab){8}|(00){7}|(ff){7}')"
}

guest() {
	check "the module with faults loads" insmod /faults/cpu_rng.ko fault_value=171
	echo "$source" >$hw_random/rng_current
	check_equal "the source is selected" "$source" "$(cat $hw_random/rng_current)"
	cutoff repetition "stick 8" "stick 9"
	cutoff proportion "bias 70" "bias 71"
	cutoff word "from 10 to 12" "from 10 to 11"
	cutoff word "from 10 to 17" "from 10 to 18"
	cutoff word "from 1 to 64" "from 0 to 64"
	cutoff word "block 520" "block 512"
	cutoff stuck_bit "lanes 0x10000 free 64" "lanes 0x10000"
	cutoff stuck_bit "lanes 0x8000000000000000 free 1" "lanes 0x8000000000000000"
	for value in 0 255; do
		echo $value >/sys/module/cpu_rng/parameters/fault_value
		cutoff repetition "stick 7" "stick 8"
	done
	check "the module unloads" rmmod cpu_rng
	for value in 0 255 171; do
		check "the module loads although its source is stuck at $value" insmod /faults/cpu_rng.ko fault_stick=511 fault_value=$value
		check_fails "a source that is stuck at $value is not registered" 1 grep -q "$source" $hw_random/rng_available
		check "the module unloads" rmmod cpu_rng
	done
	check_equal "the log says so three times" 3 "$(dmesg | grep -c "$source is not registered yet, start-up test failed")"
	check_fails "the module as shipped has no faults" 1 sh -c 'modinfo -p cpu_rng tpm_rng | grep fault_'
}
