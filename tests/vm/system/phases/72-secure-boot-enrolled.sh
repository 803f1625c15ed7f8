# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="the key is enrolled at the console, as told, and our modules are loaded by themselves"
from=secure-boot
firmware=uefi
timeout=600
# MokManager ends with a reset.
qemu_options='-action reboot=reset'

# screen_has PATTERN
screen_has() { LC_ALL=C grep -aqE "$1" "$console_log"; }
# chosen ITEM: of a menu, all of which is drawn anew for each key, this one is on black. Its frame is not ASCII.
chosen() {
	screen_has "$(printf '\033')\[40m$(printf '\033')\[[0-9;]+H[^ -~]+ *$1 *[^ -~]"
}
# when CONDITION WORD KEY...: somebody at the console, who looks before he types.
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
	# The password of the phase before. No more keys than a keyboard keeps for a firmware that is slow.
	when screen_has 'Password:' m o k ret
	when chosen Reboot ret
}

guest() {
	check "the boot is over, and all is well" boot_is_over
	check_equal "Secure Boot is on" "SecureBoot enabled" "$(mokutil --sb-state)"
	check_match "the kernel is locked down" '\[(integrity|confidentiality)\]' "$(cat /sys/kernel/security/lockdown)"
	check_match "DKMS's key is enrolled" 'is already enrolled' "$(mokutil --test-key /var/lib/dkms/mok.pub 2>&1)"
	check_equal "nothing else waits for it" "" "$(mokutil --list-new)"
	check_loaded
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "it has fed" eventually 90 has_fed
	check "the hwrng is the one that the configuration prefers" eventually 30 current_is 'tpm_rng.*'
	check_equal "no unit has failed" "" "$(failed_units)"
	check_equal "the journal has no error that Debian does not print without us" "" "$(new_errors)"
	check_equal "hwrngctl status has nothing to say of keys" "" "$(hwrngctl status | grep -iE 'mok|enrol|secure boot')"
	tell "$(uname -r), fed from: $(fed_from)"
}
