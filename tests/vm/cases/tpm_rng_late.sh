# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a TPM that arrives after the module refused to load"
arches=amd64 arches_why="swtpm for the guest is at hand for amd64 only"
programs=/usr/bin/swtpm
tpm=none

hw_random=/sys/class/misc/hw_random
available() { tr ' ' '\n' <$hw_random/rng_available | grep -x "tpm_rng.$1"; }

guest() {
	check "the proxy of TPMs loads" modprobe tpm_vtpm_proxy
	check_fails "without a TPM the module refuses to load" 1 modprobe tpm_rng duplicate=1
	plug 0
	first=$swtpm
	until [ -d /sys/class/tpm/tpm0 ]; do usleep 50000; done
	check "when one has arrived it loads" modprobe tpm_rng duplicate=1
	check "and serves it" available 0
	plug 1
	for i in $(seq 100); do
		available 1 && break
		usleep 50000
	done >/dev/null
	check "and the next one" available 1
	kill -9 "$first" "$swtpm"
	wait
	for i in $(seq 100); do
		available '[01]' || break
		usleep 50000
	done >/dev/null
	check_fails "all TPMs can go" 1 available '[01]'
	plug 0
	for i in $(seq 100); do
		available 0 && break
		usleep 50000
	done >/dev/null
	check "and one come again" available 0
	check "the module unloads" rmmod tpm_rng
	kill -9 "$swtpm"
}
