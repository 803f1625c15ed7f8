# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: the firmware's tables tell of a TPM, and there is none"
like=doctor
kernels="7.3" kernels_why="the tool is tested, not the kernel"
arches=amd64 arches_why="ACPI"
rng=none
tpm=none
cpu=max,-rdrand,-rdseed

# Of TCG's ACPI specification: a TPM 2.0 that is reached by memory-mapped registers.
before() {
	printf '\000\000\000\000\000\000\000\000\000\000\000\000\006\000\000\000' >"$tmp/tpm2"
	qemu_options="-acpitable sig=TPM2,rev=4,data=$tmp/tpm2"
}
guest() {
	head -c 1 /dev/random >/dev/null
	check_equal "is named" tpm-hidden "$(first)"
	check_match "with what to do" "^  do    switch the TPM on in the firmware's set-up" "$(hwrngctl doctor)"
}
