# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng: RDSEED and RDRAND each become a source"
arches=amd64 arches_why="x86 instructions; cpu_rng_arches is the case for others"
# QEMU 7 does not emulate RDSEED.
qemu=8

hw_random=/sys/class/misc/hw_random
available() { tr ' ' '\n' <$hw_random/rng_available | grep '^cpu_rng' | tr '\n' ' '; }

guest() {
	check "the CPU has RDSEED" grep -qw rdseed /proc/cpuinfo
	check "the module loads" modprobe cpu_rng
	check_equal "both sources are available" "cpu_rng.rdrand cpu_rng.rdseed " "$(available | tr ' ' '\n' | sort | xargs) "
	check_match "RDSEED has quality 512" 'cpu_rng: cpu_rng\.rdseed registered, quality 512$' "$(dmesg)"
	for insn in rdseed rdrand; do
		echo cpu_rng.$insn >$hw_random/rng_current
		check_equal "$insn can be selected" cpu_rng.$insn "$(cat $hw_random/rng_current)"
		dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null
		check_equal "1 MiB can be read from $insn" 1048576 "$(dd if=/dev/hwrng bs=64k count=16 iflag=fullblock 2>/dev/null | wc -c)"
	done
	check "the module unloads" rmmod cpu_rng
	check_equal "no source of ours stays" "" "$(available)"
}
