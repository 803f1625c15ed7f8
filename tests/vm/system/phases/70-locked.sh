# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="a kernel that takes no module of ours, as with Secure Boot: it is told, and the daemon carries on"
from=install
cmdline=module.sig_enforce=1

guest() {
	check "the boot is over, and all is well" boot_is_over
	check_equal "the kernel insists on signatures" Y "$(cat /sys/module/module/parameters/sig_enforce)"
	check_equal "tpm_rng is signed, by DKMS's own key" "DKMS module signing key" "$(modinfo -F signer tpm_rng)"
	check "and rejected" test ! -d /sys/module/tpm_rng
	check "so is cpu_rng" test ! -d /sys/module/cpu_rng
	check_fails "hwrngctl load tpm is not permitted" 4 hwrngctl load tpm
	check_match "and says which key to enrol" 'mokutil --import /var/lib/dkms/mok\.pub' "$(cat "$output")"
	check_match "hwrngctl status says it, too" 'mokutil --import' "$(hwrngctl status)"
	# A note, since there is virtio-rng.
	said=$(hwrngctl doctor --all)
	check_match "doctor names it" 'it does not trust the key of this one; the kernel has another hwrng .*\[modules-refused\]' "$said"
	check_match "with what the kernel said" "^  seen  the kernel's log: Loading of module with unavailable key is rejected" "$said"
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "it feeds from what user space can read" eventually 90 has_fed
	check "the CPU" eventually 60 feeds_from rdseed
	check "and the TPM" eventually 60 feeds_from tpmrm0
	tell "fed from: $(fed_from)"
	check_equal "no unit has failed" "" "$(failed_units)"
}
