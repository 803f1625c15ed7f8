# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a firmware TPM of AMD is left alone unless forced"
arches=amd64 arches_why="firmware TPMs of AMD"
# QEMU's cpu=max says AuthenticAMD, and tpm_crb is how firmware TPMs are reached.
tpm_device=tpm-crb

hw_random=/sys/class/misc/hw_random
has_tpm_rng() { grep -qw tpm_rng.0 $hw_random/rng_available; }

guest() {
	check "the CPU is of AMD" grep -q AuthenticAMD /proc/cpuinfo
	check "the module loads all the same" modprobe tpm_rng
	check_fails "pitfall 7: but serves nothing" 1 has_tpm_rng
	# 5.10 does not know of the trouble, and its generic kernel serves the chip.
	case $(uname -r) in
	5.10.*-amd64)
		case $(uname -r) in
		*-cloud-*) why='AMD firmware TPM' ;;
		*) why='the kernel already serves it as tpm-rng-0' ;;
		esac
		;;
	*) why='AMD firmware TPM' ;;
	esac
	check_match "and says why" "tpm_rng: tpm0 is left alone: .*$why" "$(dmesg)"
	check "the module unloads" rmmod tpm_rng
	check "it can be forced" modprobe tpm_rng force=1 duplicate=1
	check "and then serves it" has_tpm_rng
	check_match "and says so" 'tpm_rng: tpm_rng\.0 registered, TPM 2\.0' "$(dmesg)"
	check "the module unloads again" rmmod tpm_rng
}
