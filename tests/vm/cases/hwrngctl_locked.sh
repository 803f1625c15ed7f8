# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl: the kernel refuses our unsigned modules, is understood, and the TPM is used all the same"
programs="build/hwrngctl /usr/bin/jq"
cmdline="module.sig_enforce=1"
rng=none

guest() {
	if [ "$flavour" = debug ]; then
		skip "modules that are not signed" "the debug kernel knows no signatures"
		return
	fi
	hwrngctl status >/tmp/status
	check_match "status says why tpm_rng cannot be loaded" 'Module +tpm_rng: not loadable: the file is not signed, and module\.sig_enforce' "$(cat /tmp/status)"
	check_equal "in JSON too" false "$(hwrngctl -o json status | jq '.modules[0].loadable')"
	check_fails "load tpm" 4 hwrngctl load tpm
	check_match "says what to do" 'mokutil --import' "$(cat "$output")"
	check_fails "load" 4 hwrngctl load
	check "feed --once does without" hwrngctl feed --once
	check_match "by the resource manager" 'tpmrm0' "$(cat "$output")"
}
