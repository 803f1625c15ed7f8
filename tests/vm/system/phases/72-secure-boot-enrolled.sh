# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="the key is enrolled at the console, and our modules are loaded"
from=secure-boot
firmware=uefi
timeout=600
# MokManager resets the machine.
qemu_options='-action reboot=reset'

during() {
	until grep -aq "any key" "$console_log"; do sleep 0.2; done
	date +%T
	echo "sendkey ret" >"$monitor.in"
	sleep 600
}

guest() {
	check "the boot is over, and all is well" boot_is_over
}
