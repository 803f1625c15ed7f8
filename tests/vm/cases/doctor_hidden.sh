# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: the firmware's tables list a TPM that the kernel does not see"
like=doctor
kernels="7.3" kernels_why="the tool is tested, not the kernel"
arches=amd64 arches_why="ACPI"
rng=none
tpm=none
cpu=max,-rdrand,-rdseed

# A table of the TCG ACPI specification for a TPM 2.0 with memory-mapped registers.
before() {
	printf '\000\000\000\000\000\000\000\000\000\000\000\000\006\000\000\000' >"$tmp/tpm2"
	qemu_options="-acpitable sig=TPM2,rev=4,data=$tmp/tpm2"
}
guest() {
	head -c 1 /dev/random >/dev/null
	check_equal "doctor reports the hidden TPM" tpm-hidden "$(first)"
	check_match "doctor says what to do" "^  do    switch the TPM on in the firmware's set-up" "$(hwrngctl doctor)"
}
