# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: an AMD firmware TPM is left alone unless force=1"
arches=amd64 arches_why="only amd64 has AMD firmware TPMs"
# QEMU's cpu=max has the vendor AuthenticAMD, and the driver of firmware TPMs is tpm_crb.
tpm_device=tpm-crb

hw_random=/sys/class/misc/hw_random
has_tpm_rng() { grep -qw tpm_rng.0 $hw_random/rng_available; }

guest() {
	check "the CPU is an AMD CPU" grep -q AuthenticAMD /proc/cpuinfo
	check_fails "pitfall 7: the module refuses to load, since it has nothing to serve" 1 modprobe tpm_rng
	check_match "it fails with ENODEV" 'No such device' "$(cat "$output")"
	check_fails "pitfall 7: it does not serve the TPM" 1 has_tpm_rng
	# 5.10 does not know this problem, and its generic kernel serves the chip.
	case $(uname -r) in
	5.10.*-amd64)
		case $(uname -r) in
		*-cloud-*) why='AMD firmware TPM' ;;
		*) why='the kernel already serves it$' ;;
		esac
		;;
	*) why='AMD firmware TPM' ;;
	esac
	check_match "the log has the reason" "tpm_rng: tpm0 is left alone: .*$why" "$(dmesg)"
	check "the module loads with force=1" modprobe tpm_rng force=1 duplicate=1
	check "with force=1 it serves the TPM" has_tpm_rng
	check_match "the log shows the registration" 'tpm_rng: tpm_rng\.0 registered, TPM 2\.0' "$(dmesg)"
	check "the module unloads again" rmmod tpm_rng
}
