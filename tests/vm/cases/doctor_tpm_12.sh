# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a TPM 1.2 that is deactivated"
like=doctor
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel: the oldest and the newest"
programs="build/hwrngctl /usr/bin/jq /usr/bin/swtpm"
tpm=none
rng=none

# The guest's own: of a machine's TPM the firmware has locked this away.
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
# TPM 1.2, part 3: TSC_PhysicalPresence (may be told by a command; is), TPM_SetTempDeactivated.
deactivate() {
	tpm_send /dev/tpm0 '\000\301\000\000\000\014\100\000\000\012\000\040' &&
		tpm_send /dev/tpm0 '\000\301\000\000\000\014\100\000\000\012\000\010' &&
		tpm_send /dev/tpm0 '\000\301\000\000\000\012\000\000\000\163'
}

guest() {
	mkdir -p /etc/modules-load.d
	check "vTPMs can be had" modprobe tpm_vtpm_proxy
	check "a TPM 1.2 arrives" plug_12
	[ "$flavour" != cloud ] || check "tpm_rng is loaded" modprobe tpm_rng
	check_match "it is the kernel's hwrng" '^tpm.rng' "$(cat "$hw_random/rng_current")"
	check "it is deactivated" deactivate
	check_equal "question 9: a read fails" tpm-error "$(first)"
	check_match "and the TPM says why" '^  seen  /sys/class/tpm/tpm0/temp_deactivated: 1$' "$(hwrngctl doctor)"
	[ "$flavour" = cloud ] || return
	check "tpm_rng is unloaded" hwrngctl unload tpm
	check "loaded again, it waits for the TPM" modprobe tpm_rng
	newcomer tpm-error
}
