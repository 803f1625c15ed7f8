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
	plug 0
	first=$swtpm
	until [ -d /sys/class/tpm/tpm0 ]; do usleep 50000; done
	check "the module loads when a TPM is there" modprobe tpm_rng duplicate=1
	check "the TPM is available" available 0
	plug 1
	for i in $(seq 100); do
		available 1 && break
		usleep 50000
	done >/dev/null
	check "a second TPM is available" available 1
	kill -9 "$first" "$swtpm"
	wait
	for i in $(seq 100); do
		available '[01]' || break
		usleep 50000
	done >/dev/null
	check_fails "no TPM is available after all are unplugged" 1 available '[01]'
	plug 0
	for i in $(seq 100); do
		available 0 && break
		usleep 50000
	done >/dev/null
	check "a TPM that is plugged then is available" available 0
	check "the module unloads" rmmod tpm_rng
	kill -9 "$swtpm"
}
