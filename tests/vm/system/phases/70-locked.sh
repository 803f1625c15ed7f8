# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="the kernel refuses our modules, as with Secure Boot: hwrngctl says why, and the daemon works without"
from=install
cmdline=module.sig_enforce=1

guest() {
	check "the boot is over without failures" boot_is_over
	check_equal "the kernel requires signatures" Y "$(cat /sys/module/module/parameters/sig_enforce)"
	check_equal "tpm_rng is signed with DKMS's own key" "DKMS module signing key" "$(modinfo -F signer tpm_rng)"
	check "tpm_rng is not loaded" test ! -d /sys/module/tpm_rng
	check "cpu_rng is not loaded" test ! -d /sys/module/cpu_rng
	check_fails "hwrngctl load tpm is not permitted" 4 hwrngctl load tpm
	check_match "load tpm says which key to enrol" 'mokutil --import /var/lib/dkms/mok\.pub' "$(cat "$output")"
	check_match "hwrngctl status says which key to enrol" 'mokutil --import' "$(hwrngctl status)"
	# It is only a note, because there is virtio-rng.
	said=$(hwrngctl doctor --all)
	check_match "doctor reports the refused modules" 'does not trust the key that signed this one; the kernel has another hwrng .*\[modules-refused\]' "$said"
	check_match "doctor shows the kernel's message" "^  seen  the kernel's log: Loading of module with unavailable key is rejected" "$said"
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "hwrngd feeds without the modules" eventually 90 has_fed
	check "hwrngd feeds from the CPU" eventually 60 feeds_from rdseed
	check "hwrngd feeds from the TPM" eventually 60 feeds_from tpmrm0
	tell "fed from: $(fed_from)"
	check_equal "no unit has failed" "" "$(failed_units)"
}
