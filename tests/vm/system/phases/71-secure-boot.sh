# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="Secure Boot, from Microsoft's keys on: our modules are rejected, and what to do about it is told"
from=install
firmware=uefi
timeout=600

# What hwrngctl printed, by the letter; at its prompts, the password that the next phase knows.
do_as_told() {
	printf '%s\n' mok mok | ${told:-false}
}

guest() {
	check "the boot is over, and all is well" boot_is_over
	check_equal "Secure Boot is on" "SecureBoot enabled" "$(mokutil --sb-state)"
	check_match "the kernel is locked down" '\[(integrity|confidentiality)\]' "$(cat /sys/kernel/security/lockdown)"
	check_equal "tpm_rng is signed, by DKMS's own key" "DKMS module signing key" "$(modinfo -F signer tpm_rng)"
	check "and rejected" test ! -d /sys/module/tpm_rng
	check "so is cpu_rng" test ! -d /sys/module/cpu_rng
	check_fails "hwrngctl load tpm is not permitted" 4 hwrngctl load tpm
	diag "$(cat "$output")"
	told=$(sed -n "s/.*\`\(mokutil [^\`]*\)\`.*/\1/p" "$output")
	check_equal "and says which key to enrol" "mokutil --import /var/lib/dkms/mok.pub" "$told"
	check_match "and how, as the next phase does" 'Enroll MOK, Continue, Yes, give the password, choose Reboot;' "$(cat "$output")"
	said=$(hwrngctl status)
	diag "$said"
	check_match "hwrngctl status says it, too" 'mokutil --import /var/lib/dkms/mok\.pub' "$said"
	# A note, since there is virtio-rng.
	said=$(hwrngctl doctor --all)
	check_match "doctor names it" 'it does not trust the key of this one; the kernel has another hwrng .*\[modules-refused\]' "$said"
	check_match "with what the kernel said" "^  seen  the kernel's log: Loading of module with unavailable key is rejected" "$said"
	check_match "and which key to enrol" '^            mokutil --import /var/lib/dkms/mok\.pub$' "$said"
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "it feeds from what user space can read" eventually 90 has_fed
	check "the CPU" eventually 60 feeds_from rdseed
	check "and the TPM" eventually 60 feeds_from tpmrm0
	tell "$(uname -r), fed from: $(fed_from)"
	check_equal "no unit has failed" "" "$(failed_units)"

	check "the key is imported as told" do_as_told
	check_match "to be enrolled at the next boot" 'is already in the enrollment request' \
		"$(mokutil --test-key /var/lib/dkms/mok.pub 2>&1)"
}
