# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng: refuses to load on a CPU without random number instructions"
tpm=none
cpu=$(cpu_without_source)

guest() {
	check_fails "modprobe fails" 1 modprobe cpu_rng
	check_match "modprobe fails with ENODEV" 'No such device' "$(cat "$output")"
	check "the module is not loaded" test ! -d /sys/module/cpu_rng
}
