# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: a machine whose CRNG is not ready, and whose only source is the TPM"
programs="build/hwrngctl /usr/bin/jq"
rng=none
cpu=max,-rdrand,-rdseed
cmdline="random.trust_cpu=off random.trust_bootloader=off"

guest() {
	# The kernel also collects timing noise, and may make the CRNG ready by itself at any moment.
	hwrngctl status >/tmp/status
	if grep -q 'CRNG  *ready' /tmp/status; then
		skip "status says that the CRNG is not ready" "the kernel already made the CRNG ready by itself"
	else
		check_match "status says that the CRNG is not ready" 'CRNG +NOT ready' "$(cat /tmp/status)"
		check_match "status says what to do" 'hwrngctl feed --once' "$(tail -n 1 /tmp/status)"
	fi
	hwrngctl -o json feed --once >/tmp/fed 2>/tmp/said
	check_equal "feed --once succeeds" 0 $?
	check_equal "feed --once uses the TPM" tpmrm0 "$(jq -r .source </tmp/fed)"
	check_equal "feed --once reports that the CRNG is ready" true "$(jq .crng_ready </tmp/fed)"
	check_match "the kernel says that the CRNG is ready" 'crng init done' "$(dmesg)"
}
