# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="the key is enrolled at the console, as hwrngctl described, and our modules are loaded at boot"
from=secure-boot
firmware=uefi
timeout=600
# MokManager ends with a reset.
qemu_options='-action reboot=reset'

# screen_has PATTERN: succeeds if the console has shown it.
screen_has() { LC_ALL=C grep -aqE "$1" "$console_log"; }
# chosen ITEM: succeeds if this menu item was highlighted, which means black background. The whole menu is
# drawn again for each key. Its frame is not ASCII.
chosen() {
	screen_has "$(printf '\033')\[40m$(printf '\033')\[[0-9;]+H[^ -~]+ *$1 *[^ -~]"
}
# when CONDITION WORD KEY...: waits for the condition, and then presses the keys, like a user at the console.
when() {
	until "$1" "$2"; do sleep 0.1; done
	echo "$2"
	shift 2
	for key; do echo "sendkey $key"; done >"$monitor.in"
}

during() {
	when screen_has 'Press any key to perform MOK management' ret
	when chosen 'Continue boot' down
	when chosen 'Enroll MOK' ret
	when chosen 'View key 0' down
	when chosen Continue ret
	when chosen No down
	when chosen Yes ret
	# The password of the previous phase. It is short, because a keyboard buffers only a few keys.
	when screen_has 'Password:' m o k ret
	when chosen Reboot ret
}

guest() {
	check "the boot is over without failures" boot_is_over
	check_equal "Secure Boot is on" "SecureBoot enabled" "$(mokutil --sb-state)"
	check_match "the kernel is locked down" '\[(integrity|confidentiality)\]' "$(cat /sys/kernel/security/lockdown)"
	check_match "DKMS's key is enrolled" 'is already enrolled' "$(mokutil --test-key /var/lib/dkms/mok.pub 2>&1)"
	check_equal "no other key waits for enrolment" "" "$(mokutil --list-new)"
	check_loaded
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "hwrngd has fed" eventually 90 has_fed
	check "the hwrng is the one that the configuration prefers" eventually 30 current_is 'tpm_rng.*'
	check_equal "no unit has failed" "" "$(failed_units)"
	check_equal "the journal has no new errors" "" "$(new_errors)"
	check_equal "hwrngctl status does not mention keys" "" "$(hwrngctl status | grep -iE 'mok|enrol|secure boot')"
	tell "$(uname -r), fed from: $(fed_from)"
}
