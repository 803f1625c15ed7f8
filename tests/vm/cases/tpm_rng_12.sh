# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a TPM 1.2 is served too"
tpm=1.2

hw_random=/sys/class/misc/hw_random

guest() {
	case $(uname -r) in
	*-cloud-*) check "the module loads" modprobe tpm_rng ;;
	*) check "the module loads" modprobe tpm_rng duplicate=1 ;;
	esac
	check_match "it knows what it serves" 'tpm_rng: tpm_rng\.0 registered, TPM 1\.2, quality 512$' "$(dmesg)"
	echo tpm_rng.0 >$hw_random/rng_current
	check_equal "it can be selected" tpm_rng.0 "$(cat $hw_random/rng_current)"
	dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null
	check "first mark" tpm_mark
	check_equal "4 KiB are read" 4096 "$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | wc -c)"
	check "second mark" tpm_mark
	check "the module unloads" rmmod tpm_rng
}

after() {
	# khwrngd may read once or twice in between.
	check_match "4 KiB are 64 commands" '^6[4-6]$' "$(tpm_getrandom_between_marks)"
}
