# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: sends nothing to a suspended TPM, and serves after resume"

hw_random=/sys/class/misc/hw_random

guest() {
	# Stops for 5 s while the devices are suspended. khwrngd is not frozen, and comes every
	# 5 s on so young a system.
	if ! echo devices >/sys/power/pm_test; then
		skip "suspend" "this kernel has no /sys/power/pm_test"
		return
	fi
	check "the module loads" modprobe tpm_rng duplicate=1
	echo tpm_rng.0 >$hw_random/rng_current
	check_equal "it is selected" tpm_rng.0 "$(cat $hw_random/rng_current)"
	echo freeze >/sys/power/state
	tpm_mark
	check_match "the devices were suspended" 'suspend debug: Waiting for 5 second' "$(dmesg)"
	check_equal "it serves again" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
	check_equal "the log is clean" "" "$(dmesg | grep -e 'tpm_rng: tpm_rng.0: ' -e 'tpm tpm0: ')"
	check "the module unloads" rmmod tpm_rng
}

after() {
	if ! tpm_commands | grep -q '^0000017C'; then
		skip "commands while suspended" "the guest was not suspended"
		return
	fi
	# TPM2_Shutdown is the last command before, and the mark is the first after.
	check_equal "pitfall 6: no command reached the suspended TPM" 0 "$(tpm_commands | awk '
		/^00000145/ && !off { off = 1; next }
		/^0000017C/ { print count + 0; exit }
		off { count++ }')"
}
