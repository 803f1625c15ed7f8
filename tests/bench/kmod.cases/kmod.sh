# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng compared with a loop over the same instruction, and the cost on an idle machine"
arches=amd64 arches_why="the loop uses x86 instructions"
programs="build/bench/insn"
qemu=8
timeout=300

hw_random=/sys/class/misc/hw_random

# busy: prints the time that both CPUs were not idle, in 1/100 s.
busy() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }
idle_cost() {
	before=$(busy)
	sleep 20
	echo $(($(busy) - before))
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
median() { sort -n | sed -n 13p; }
driver() { dmesg | sed -n "s/.*cpu_rng\.$1: \([0-9]*\) ns for a read.*/\1/p"; }

guest() {
	without=$(idle_cost)
	# In turns, because the host's speed varies. The result is the median of the turns' ratios.
	for round in $(seq 25); do
		insmod /faults/cpu_rng.ko fault_bench=20000 && rmmod cpu_rng
		insn rdrand 10000 >>/tmp/rdrand
		insn rdseed 10000 >>/tmp/rdseed
	done
	check "the modules load" modprobe -a cpu_rng tpm_rng
	for insn in rdrand rdseed; do
		driver $insn >/tmp/$insn.driver
		loop=$(median </tmp/$insn) own=$(median </tmp/$insn.driver)
		rate=$(paste /tmp/$insn /tmp/$insn.driver | awk '{ printf "%.2f\n", $1 / $2 }' | median)
		echo cpu_rng.$insn >$hw_random/rng_current
		device=$(insn hwrng 20000)
		diag "figure: 64 bytes of $insn: $loop ns with a loop, $own ns with the driver, $device ns with /dev/hwrng"
		diag "figure: $insn: the driver reaches $rate of the loop's rate, /dev/hwrng $(ratio "$loop" "$device")"
		check "the driver reaches at least 0.80 of the loop's rate for $insn" awk "BEGIN { exit !($rate >= 0.80) }"
	done
	diag "figure: 20 s of an idle machine take $without/100 s of CPU without the modules, $(idle_cost)/100 s with both"
}
