# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="Secure Boot with Microsoft's keys: our modules are rejected, and hwrngctl says what to do"
from=install
firmware=uefi
timeout=600

# do_as_told: runs the command that hwrngctl printed, and gives it the password that the next phase uses.
do_as_told() {
	printf '%s\n' mok mok | ${told:-false}
}

guest() {
	check "the boot is over without failures" boot_is_over
	check_equal "Secure Boot is on" "SecureBoot enabled" "$(mokutil --sb-state)"
	check_match "the kernel is locked down" '\[(integrity|confidentiality)\]' "$(cat /sys/kernel/security/lockdown)"
	check_equal "tpm_rng is signed with DKMS's own key" "DKMS module signing key" "$(modinfo -F signer tpm_rng)"
	check "tpm_rng is not loaded" test ! -d /sys/module/tpm_rng
	check "cpu_rng is not loaded" test ! -d /sys/module/cpu_rng
	check_fails "hwrngctl load tpm is not permitted" 4 hwrngctl load tpm
	diag "$(cat "$output")"
	told=$(sed -n "s/.*\`\(mokutil [^\`]*\)\`.*/\1/p" "$output")
	check_equal "load tpm says which key to enrol" "mokutil --import /var/lib/dkms/mok.pub" "$told"
	check_match "load tpm says how to enrol it, as the next phase does" 'Enroll MOK, Continue, Yes, give the password, choose Reboot;' "$(cat "$output")"
	said=$(hwrngctl status)
	diag "$said"
	check_match "hwrngctl status says which key to enrol" 'mokutil --import /var/lib/dkms/mok\.pub' "$said"
	# It is only a note, because there is virtio-rng.
	said=$(hwrngctl doctor --all)
	check_match "doctor reports the refused modules" 'does not trust the key that signed this one; the kernel has another hwrng .*\[modules-refused\]' "$said"
	check_match "doctor shows the kernel's message" "^  seen  the kernel's log: Loading of module with unavailable key is rejected" "$said"
	check_match "doctor says which key to enrol" '^            mokutil --import /var/lib/dkms/mok\.pub$' "$said"
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "hwrngd feeds without the modules" eventually 90 has_fed
	check "hwrngd feeds from the CPU" eventually 60 feeds_from rdseed
	check "hwrngd feeds from the TPM" eventually 60 feeds_from tpmrm0
	tell "$(uname -r), fed from: $(fed_from)"
	check_equal "no unit has failed" "" "$(failed_units)"

	check "the printed command imports the key" do_as_told
	check_match "the key will be enrolled at the next boot" 'is already in the enrollment request' \
		"$(mokutil --test-key /var/lib/dkms/mok.pub 2>&1)"
}
