# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a TPM appears after the module refused to load"
programs=/usr/bin/swtpm
tpm=none

hw_random=/sys/class/misc/hw_random
available() { tr ' ' '\n' <$hw_random/rng_available | grep -x "tpm_rng.$1"; }

guest() {
	check "the TPM proxy loads" modprobe tpm_vtpm_proxy
	check_fails "without a TPM the module refuses to load" 1 modprobe tpm_rng duplicate=1
	check "a TPM is plugged in" plug_in 0
	first=$swtpm
	check "the module loads when a TPM is there" modprobe tpm_rng duplicate=1
	check "the TPM is available" await_rng tpm_rng.0
	check "a second TPM is plugged in" plug_in 1
	check "a second TPM is available" await_rng tpm_rng.1
	kill -9 "$first" "$swtpm"
	wait
	for i in $(seq 100); do
		available '[01]' || break
		usleep 50000
	done >/dev/null
	check_fails "no TPM is available after all are unplugged" 1 available '[01]'
	check "a TPM is plugged in again" plug_in 0
	check "a TPM that is plugged then is available" await_rng tpm_rng.0
	check "the module unloads" rmmod tpm_rng
	kill -9 "$swtpm"
}
