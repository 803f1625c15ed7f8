# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng: RDSEED on a Zen 5 with fixed microcode is served"
like=cpu_rng_zen5
cpu=max,vendor=AuthenticAMD,family=26,model=2,stepping=1,ucode-rev=0x0b00215a
identity="cpufamily:26 model:2 stepping:1 microcode:0xb00215a "

guest() {
	check_match "the guest's CPU is the expected model" "$identity" "$(grep -E '^(cpu family|model|stepping|microcode)[[:space:]]*:' /proc/cpuinfo | head -n 4 | tr -d ' \t' | tr '\n' ' ')"
	check "the kernel shows RDSEED" grep -qw rdseed /proc/cpuinfo
	check "the module loads" modprobe cpu_rng
	check_equal "both instructions are available" "cpu_rng.rdrand cpu_rng.rdseed " "$(available)"
	check_equal "the log has no refusal" "" "$(dmesg | grep 'cpu_rng: .*refused')"
	check "the module unloads" rmmod cpu_rng
	check_equal "hwrngctl doctor reports no erratum" 0 "$(hwrngctl doctor --all | grep -c cpu-erratum)"
}
