# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a TPM 1.2 is served"
tpm=1.2

hw_random=/sys/class/misc/hw_random

guest() {
	case $(uname -r) in
	*-cloud-*) check "the module loads" modprobe tpm_rng ;;
	*) check "the module loads" modprobe tpm_rng duplicate=1 ;;
	esac
	check_match "the log shows that it is a TPM 1.2" 'tpm_rng: tpm_rng\.0 registered, TPM 1\.2, quality 512$' "$(dmesg)"
	echo tpm_rng.0 >$hw_random/rng_current
	check_equal "tpm_rng.0 can be selected" tpm_rng.0 "$(cat $hw_random/rng_current)"
	dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null
	check "first mark" tpm_mark
	check_equal "4 KiB can be read" 4096 "$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | wc -c)"
	check "second mark" tpm_mark
	check "the module unloads" rmmod tpm_rng
}

after() {
	# khwrngd may also read once or twice.
	check_match "a read of 4 KiB is 128 commands" '^1(2[89]|3[0-2])$' "$(tpm_getrandom_between_marks)"
}
