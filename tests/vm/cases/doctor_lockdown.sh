# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: lockdown keeps our unsigned module out"
like=doctor
flavours="cloud" flavours_why="generic kernels serve the TPM; the debug kernel does not check signatures"
cmdline="lockdown=integrity"
rng=none

guest() {
	check_equal "doctor reports the refused modules" modules-refused "$(first)"
	check_match "doctor gives the reason" "lockdown \(.*\) requires signed modules" "$(hwrngctl doctor)"
}
