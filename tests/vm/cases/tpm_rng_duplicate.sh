# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: does not serve a chip that the kernel already serves (generic kernels)"

hw_random=/sys/class/misc/hw_random
available() { tr ' ' '\n' <$hw_random/rng_available | grep -x "tpm[-_]rng.*" | LC_ALL=C sort | tr '\n' ' '; }

guest() {
	case $(uname -r) in
	*-cloud-*)
		skip "tpm_rng beside the kernel's own source" "cloud kernels do not serve TPMs"
		return
		;;
	esac
	check_fails "the module refuses to load, since it has nothing to serve" 1 modprobe tpm_rng
	check_match "it fails with ENODEV" 'No such device' "$(cat "$output")"
	check_equal "pitfall 10: only the kernel's own source is there" "tpm-rng-0 " "$(available)"
	check_equal "the log has the reason, once" 1 "$(dmesg | grep -c 'tpm_rng: tpm0 is left alone: the kernel already serves it$')"
	check_fails "the module is not loaded" 1 test -d /sys/module/tpm_rng
	check_equal "the kernel's own source stays" "tpm-rng-0 " "$(available)"
	check "the module loads with duplicate=1" modprobe tpm_rng duplicate=1
	check_equal "pitfall 10: both sources are there, with different names" "tpm-rng-0 tpm_rng.0 " "$(available)"
	check "the module unloads again" rmmod tpm_rng
}
