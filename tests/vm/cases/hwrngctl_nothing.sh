# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: a machine without hardware for randomness, and then without any source"
programs="build/hwrngctl /usr/bin/jq"
rng=none
tpm=none
cpu=max,-rdrand,-rdseed

guest() {
	ln -s /usr/bin/kmod /sbin/modprobe # the kernel needs it to load modules for AF_ALG
	check_equal "the kernel's jitter is the only source" jitter "$(hwrngctl -o json list | jq -r '.sources[].name')"
	if [ "$kernel" = 7.3 ]; then
		check_fails "feed --once fails, because this kernel restricts AF_ALG" 3 hwrngctl feed --once
		check_match "it says how to allow AF_ALG" 'sysctl crypto.af_alg_restrict=0' "$(cat "$output")"
		echo 0 >/proc/sys/crypto/af_alg_restrict
	fi
	check_equal "feed --once uses jitter" jitter "$(hwrngctl -o json feed --once | jq -r .source)"
	check "jitter passes its test" hwrngctl test --source jitter --blocks 4
	check_fails "load tpm fails" 3 hwrngctl load tpm
	check_match "load tpm says that there is no TPM" 'this machine has no TPM' "$(cat "$output")"
	check_fails "load cpu fails" 3 hwrngctl load cpu
	check_match "load cpu says that the hardware is missing" 'this machine lacks its hardware .*; this CPU has no random number instruction' "$(cat "$output")"
	check_fails "load fails" 3 hwrngctl load

	# Now a kernel without jitter.
	rmmod algif_rng
	mv /lib/modules /lib/modules.away
	check "status succeeds without a source" hwrngctl status
	check_match "status says that there is no source" 'No source was found' "$(cat "$output")"
	check_fails "list fails" 3 hwrngctl list
	check_fails "feed --once fails" 3 hwrngctl feed --once
	check_match "feed --once says what to do" 'virtio-rng' "$(cat "$output")"
	check_fails "test fails" 3 hwrngctl test
}
