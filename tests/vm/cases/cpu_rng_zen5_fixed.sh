# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng: RDSEED of a Zen 5 with repaired microcode is served"
like=cpu_rng_zen5
cpu=max,vendor=AuthenticAMD,family=26,model=2,stepping=1,ucode-rev=0x0b00215a
identity="cpufamily:26 model:2 stepping:1 microcode:0xb00215a "

guest() {
	check_match "the CPU is what it should be" "$identity" "$(grep -E '^(cpu family|model|stepping|microcode)[[:space:]]*:' /proc/cpuinfo | head -n 4 | tr -d ' \t' | tr '\n' ' ')"
	check "the kernel shows RDSEED" grep -qw rdseed /proc/cpuinfo
	check "the module loads" modprobe cpu_rng
	check_equal "both instructions are offered" "cpu_rng.rdrand cpu_rng.rdseed " "$(available)"
	check_equal "the log tells of no refusal" "" "$(dmesg | grep 'cpu_rng: .*refused')"
	check "the module unloads" rmmod cpu_rng
	check_equal "hwrngctl doctor tells of nothing" 0 "$(hwrngctl doctor --all | grep -c cpu-erratum)"
}
