# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng: RDSEED on a Zen 5 with old microcode is refused (AMD-SB-7055)"
programs="build/hwrngctl"
arches=amd64 arches_why="an erratum of x86 CPUs"
# QEMU 7 does not emulate RDSEED.
qemu=8
cpu=max,vendor=AuthenticAMD,family=26,model=2,stepping=1,ucode-rev=0x0b002159
identity="cpufamily:26 model:2 stepping:1 microcode:0xb002159 "
erratum="AMD-SB-7055, update the microcode"
# The kernel would also complain about other vulnerabilities of old microcode.
cmdline=mitigations=off

hw_random=/sys/class/misc/hw_random
available() { tr ' ' '\n' <$hw_random/rng_available | grep '^cpu_rng' | sort | tr '\n' ' '; }

# hidden: succeeds if the kernel itself hides RDSEED, as later kernels do. Then cpu_rng has nothing to refuse.
hidden() { ! grep -qw rdseed /proc/cpuinfo; }

guest() {
	check_match "the guest's CPU is the expected model" "$identity" "$(grep -E '^(cpu family|model|stepping|microcode)[[:space:]]*:' /proc/cpuinfo | head -n 4 | tr -d ' \t' | tr '\n' ' ')"
	check "the module loads" modprobe cpu_rng
	check_equal "only RDRAND is available" "cpu_rng.rdrand " "$(available)"
	if hidden; then
		check_match "the kernel hides RDSEED and logs it" 'RDSEED.*(disabl|not reliable|broken)' "$(dmesg)"
	else
		check_equal "the log has the reason, once" 1 "$(dmesg | grep -c "cpu_rng: cpu_rng\.rdseed refused: $erratum\$")"
	fi
	check "the module unloads" rmmod cpu_rng
	check "the module loads with force=1" modprobe cpu_rng force=1
	if hidden; then
		check_equal "force=1 does not make a hidden RDSEED available" "cpu_rng.rdrand " "$(available)"
	else
		check_equal "force=1 makes RDSEED available" "cpu_rng.rdrand cpu_rng.rdseed " "$(available)"
	fi
	check "the module unloads again" rmmod cpu_rng
	check_match "hwrngctl doctor reports the erratum" 'cpu-erratum' "$(hwrngctl doctor --all)"
}
