# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: refuses to load without a TPM"
tpm=none

guest() {
	check_fails "modprobe fails" 1 modprobe tpm_rng
	check_match "modprobe fails with ENODEV" 'No such device' "$(cat "$output")"
	check "the module is not loaded" test ! -d /sys/module/tpm_rng
	check_equal "the module logs nothing" "" "$(dmesg | grep 'tpm_rng: ' | grep -v taint)"
}
