# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng: refuses to load on arm64, ppc64el and riscv64 CPUs without the instruction"
arches="arm64 ppc64el riscv64" arches_why="cpu_rng_none is the case for amd64"
tpm=none
cpu=$(cpu_without_source)

guest() {
	check_fails "modprobe fails" 1 modprobe cpu_rng
	check_match "modprobe fails with ENODEV" 'No such device' "$(cat "$output")"
	check "the module is not loaded" test ! -d /sys/module/cpu_rng
	check_fails "no source of ours is there" 1 grep cpu_rng /sys/class/misc/hw_random/rng_available
	check_equal "another source serves" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
}
