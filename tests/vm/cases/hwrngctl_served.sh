# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: a TPM that the kernel serves itself (generic kernels)"
programs="build/hwrngctl /usr/bin/jq"

hw_random=/sys/class/misc/hw_random

guest() {
	if [ "$flavour" != generic ]; then
		skip "the TPM as the kernel serves it" "$flavour kernels do not serve it (see hwrngctl_tpm)"
		return
	fi
	check_match "status says that the kernel serves the TPM" 'tpm0.* the kernel .*tpm-rng-0|tpm0.*tpm-rng-0' "$(hwrngctl status)"
	check "load tpm" hwrngctl load tpm
	check_match "load tpm has nothing to do, and says why" 'tpm_rng: not needed: the kernel already serves tpm0 as tpm-rng-0' "$(cat "$output")"
	check_fails "no module was loaded" 1 grep -q '^tpm_rng ' /proc/modules
	if [ "$kernel" = 5.10 ]; then
		check_fails "pitfall 1: select refuses tpm-rng-0, which has no quality, because this kernel may hang" 4 hwrngctl select tpm-rng-0
		return
	fi
	check "select tpm-rng-0" hwrngctl select tpm-rng-0
	check_equal "tpm-rng-0 is current" tpm-rng-0 "$(cat $hw_random/rng_current)"
	check "feed works with tpm-rng-0" hwrngctl -o json feed --once --source tpm-rng-0
	check "select auto" hwrngctl select auto
}
