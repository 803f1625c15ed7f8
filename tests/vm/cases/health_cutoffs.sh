# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="health tests: each on both sides of its cutoff; data that failed never leaves the driver"
case $arch in
amd64) cpu=max,-rdseed source=cpu_rng.rdrand ;;
arm64) source=cpu_rng.rndr ;;
esac

hw_random=/sys/class/misc/hw_random
stats=/sys/module/cpu_rng/$source

fault() { echo "$2" >/sys/module/cpu_rng/parameters/fault_"$1"; }
failures() { cat "$stats"/"$1"_failures; }

# cutoff TEST FAULT VALUE LAST: checks that LAST bytes of VALUE in a window of 512 pass, and one more fails.
cutoff() {
	fault value $(($3))
	before=$(failures repetition)/$(failures proportion)
	fault "$2" "$4"
	check_equal "$1: the bytes pass with $4 times $3" 4096 "$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | wc -c)"
	check_equal "$1: $4 times $3 is not counted as a failure" "$before" "$(failures repetition)/$(failures proportion)"
	check_equal "$1: the source stays healthy with $4 times $3" healthy "$(cat "$stats"/state)"

	count=$(failures "$1") lines=$(dmesg | grep -c "$source failed the .*$1.* test, no data until")
	fault "$2" $(($4 + 1))
	# Some reads may come before the part of the window that fails.
	for i in 1 2 3 4 5 6 7 8; do dd if=/dev/hwrng of=/dev/null bs=64 count=1; done >/dev/null 2>&1
	check_fails "$1: a read fails with $(($4 + 1)) times $3" 1 dd if=/dev/hwrng of=/tmp/failed bs=64 count=1
	check_match "$1: the read fails with EIO" 'Input/output error|I/O error' "$(cat "$output")"
	check "$1: the failure is counted" test "$(failures "$1")" -gt "$count"
	check_equal "$1: the failure is logged once" $((lines + 1)) "$(dmesg | grep -c "$source failed the .*$1.* test, no data until")"
	check_equal "$1: no data is served after the failure" 0 "$(for i in $(seq 20); do dd if=/dev/hwrng bs=64 count=1; done 2>/dev/null | wc -c)"
	check_equal "$1: the state of the source is failed" failed "$(cat "$stats"/state)"

	lines=$(dmesg | grep -c "$source passed the start-up test again")
	fault "$2" 0
	dd if=/dev/hwrng bs=64 count=64 of=/tmp/again 2>/dev/null
	check_equal "$1: without the fault, the source serves again" 4096 "$(wc -c </tmp/again)"
	check_equal "$1: the log says that it passed the start-up test" $((lines + 1)) "$(dmesg | grep -c "$source passed the start-up test again")"
	check_equal "$1: the new data has no bytes of the failed data" 0 "$(xxd -p /tmp/again | tr -d '\n' | grep -c -e 404142434445 -e 202122232425)"
}

guest() {
	check "the module with faults loads" insmod /faults/cpu_rng.ko
	echo "$source" >$hw_random/rng_current
	check_equal "the source is selected" "$source" "$(cat $hw_random/rng_current)"
	cutoff repetition stick 0xab 8
	cutoff repetition stick 0x00 7
	cutoff repetition stick 0xff 7
	cutoff proportion bias 0xab 70
	check "the module unloads" rmmod cpu_rng
	for value in 0 255 171; do
		check_fails "a source stuck at $value is refused at load" 1 insmod /faults/cpu_rng.ko fault_stick=511 fault_value=$value
	done
	check_equal "the log says so three times" 3 "$(dmesg | grep -c "$source refused: start-up test failed")"
	check_fails "the module as shipped has no faults" 1 sh -c 'modinfo -p cpu_rng tpm_rng | grep fault_'
}
