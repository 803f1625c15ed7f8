# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a guest without any hardware for randomness"
like=doctor
rng=none
tpm=none
cpu=max,-rdrand,-rdseed

guest() {
	check_fails "doctor finds something" 1 hwrngctl doctor
	check_equal "no hwrng" no-hwrng "$(first)"
	check_match "what to do is done on the host" 'virt-xml NAME --add-device --rng' "$(cat "$output")"
	check_match "the CPU's model is told of" 'cpu-instructions-hidden' "$(cat "$output")"
}
