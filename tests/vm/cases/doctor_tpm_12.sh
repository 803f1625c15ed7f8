# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a TPM 1.2 that is deactivated"
like=doctor
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel; so only the oldest and the newest"
programs="build/hwrngctl /usr/bin/jq /usr/bin/swtpm"
tpm=none
rng=none

# A TPM inside the guest, because the firmware locks these commands of the machine's TPM.
plug_12() {
	mkdir /tmp/tpm
	swtpm chardev --vtpm-proxy --tpmstate dir=/tmp/tpm --flags not-need-init,startup-clear >/tmp/tpm.log 2>&1 &
	for _ in $(seq 100); do
		[ ! -e /dev/tpm0 ] || return 0
		usleep 100000
	done
	cat /tmp/tpm.log
	false
}
# TPM 1.2, part 3: TSC_PhysicalPresence (enable the command, then set presence), TPM_SetTempDeactivated.
deactivate() {
	tpm_send /dev/tpm0 '\000\301\000\000\000\014\100\000\000\012\000\040' &&
		tpm_send /dev/tpm0 '\000\301\000\000\000\014\100\000\000\012\000\010' &&
		tpm_send /dev/tpm0 '\000\301\000\000\000\012\000\000\000\163'
}

guest() {
	mkdir -p /etc/modules-load.d
	check "the TPM proxy loads" modprobe tpm_vtpm_proxy
	check "a TPM 1.2 appears" plug_12
	[ "$flavour" != cloud ] || check "tpm_rng is loaded" hwrngctl load tpm
	check_match "the TPM is the kernel's hwrng" '^tpm.rng' "$(cat "$hw_random/rng_current")"
	check "the TPM is deactivated" deactivate
	check_equal "question 9: doctor reports that a read fails" tpm-error "$(first)"
	check_match "doctor shows the TPM's state" '^  seen  /sys/class/tpm/tpm0/temp_deactivated: 1$' "$(hwrngctl doctor)"
	[ "$flavour" = cloud ] || return
	check "tpm_rng is unloaded" hwrngctl unload tpm
	check "tpm_rng loads although the TPM is deactivated" modprobe tpm_rng
	newcomer tpm-error
}
