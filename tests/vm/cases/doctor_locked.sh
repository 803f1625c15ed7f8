# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: module.sig_enforce keeps our unsigned module out"
like=doctor
flavours="cloud" flavours_why="generic kernels serve the TPM; the debug kernel does not check signatures"
cmdline="module.sig_enforce=1"
rng=none
rule='module\.sig_enforce'

guest() {
	check_equal "doctor reports the refused modules" modules-refused "$(first)"
	check_match "doctor gives the reason" "$rule requires signed modules, and the file is not signed" "$(hwrngctl doctor)"
	echo 1 >/proc/sys/kernel/modules_disabled
	check_equal "doctor reports that module loading is switched off" modules-refused "$(first)"
	check_match "doctor shows the setting" '^  seen  /proc/sys/kernel/modules_disabled: 1$' "$(hwrngctl doctor)"
	check_match "doctor says what to do for the next boot" '^            echo tpm_rng >/etc/modules-load.d/hwrngd-tpm_rng.conf$' "$(hwrngctl doctor)"
}
