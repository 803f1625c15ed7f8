# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng: RDRAND on AMD family 15h is refused"
programs="build/hwrngctl"
arches=amd64 arches_why="an erratum of x86 CPUs"
cpu=max,vendor=AuthenticAMD,family=21,model=48,-rdseed
family=21

hw_random=/sys/class/misc/hw_random
available() { tr ' ' '\n' <$hw_random/rng_available | grep '^cpu_rng' | sort | tr '\n' ' '; }

guest() {
	check_match "the guest's CPU is of the expected family" "^cpu family.*: $family$" "$(cat /proc/cpuinfo)"
	# The kernel hides RDRAND on such a CPU, but a hypervisor may still show it.
	if ! grep -qw rdrand /proc/cpuinfo; then
		check_fails "modprobe fails, because the kernel hides RDRAND" 1 modprobe cpu_rng
		check_match "hwrngctl doctor reports the erratum" 'cpu-erratum' "$(hwrngctl doctor --all)"
		return
	fi
	check_fails "modprobe fails" 1 modprobe cpu_rng
	check_match "modprobe fails with ENODEV" 'No such device' "$(cat "$output")"
	check_equal "the log has the reason, once" 1 "$(dmesg | grep -c 'cpu_rng: cpu_rng\.rdrand refused: unreliable after resume on AMD families 15h and 16h$')"
	check "force=1 loads it nevertheless" modprobe cpu_rng force=1
	check_equal "RDRAND is then available" "cpu_rng.rdrand " "$(available)"
	check "the module unloads" rmmod cpu_rng
	check_match "hwrngctl doctor reports the erratum" 'cpu-erratum' "$(hwrngctl doctor --all)"
}
