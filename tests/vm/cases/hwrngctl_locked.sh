# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl: if the kernel refuses our unsigned modules, it says so and uses the TPM nevertheless"
programs="build/hwrngctl /usr/bin/jq"
cmdline="module.sig_enforce=1"
rng=none

guest() {
	if [ "$flavour" = debug ]; then
		skip "unsigned modules" "the debug kernel does not check signatures"
		return
	fi
	hwrngctl status >/tmp/status
	check_match "status says why tpm_rng cannot be loaded" 'Module +tpm_rng: not loadable: the file is not signed, and module\.sig_enforce' "$(cat /tmp/status)"
	check_equal "status says it in JSON too" false "$(hwrngctl -o json status | jq '.modules[0].loadable')"
	check_fails "load tpm fails" 4 hwrngctl load tpm
	check_match "load tpm says what to do" 'mokutil --import' "$(cat "$output")"
	check_fails "load fails" 4 hwrngctl load
	check "feed --once works without the module" hwrngctl feed --once
	check_match "it reads the TPM through the resource manager" 'tpmrm0' "$(cat "$output")"
}
