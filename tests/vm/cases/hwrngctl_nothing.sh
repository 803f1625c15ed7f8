# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: a machine without any hardware for randomness, and without any source"
programs="build/hwrngctl /usr/bin/jq"
rng=none
tpm=none
cpu=max,-rdrand,-rdseed

guest() {
	ln -s /usr/bin/kmod /sbin/modprobe # by which the kernel loads what AF_ALG takes
	check_equal "the kernel's jitter is the only source" jitter "$(hwrngctl -o json list | jq -r '.sources[].name')"
	if [ "$kernel" = 7.3 ]; then
		check_fails "which this kernel keeps for itself" 3 hwrngctl feed --once
		check_match "and how it can be had is said" 'sysctl crypto.af_alg_restrict=0' "$(cat "$output")"
		echo 0 >/proc/sys/crypto/af_alg_restrict
	fi
	check_equal "feed --once takes it" jitter "$(hwrngctl -o json feed --once | jq -r .source)"
	check "it passes its test" hwrngctl test --source jitter --blocks 4
	check_fails "load tpm" 3 hwrngctl load tpm
	check_match "says that there is no TPM" 'this machine has no TPM' "$(cat "$output")"
	check_fails "load cpu" 3 hwrngctl load cpu
	check_match "says that the hardware is missing" 'hardware .* is not here' "$(cat "$output")"
	check_fails "load" 3 hwrngctl load

	# A kernel without it.
	rmmod algif_rng
	mv /lib/modules /lib/modules.away
	check "status" hwrngctl status
	check_match "says that there is none" 'No source was found' "$(cat "$output")"
	check_fails "list" 3 hwrngctl list
	check_fails "feed --once" 3 hwrngctl feed --once
	check_match "says what to do" 'virtio-rng' "$(cat "$output")"
	check_fails "test" 3 hwrngctl test
}
