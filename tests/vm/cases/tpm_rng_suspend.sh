# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: sends no command to a suspended TPM, and serves after the resume"

# Keep the console on, so that the host sees when the devices are suspended.
cmdline=no_console_suspend

hw_random=/sys/class/misc/hw_random

# count: prints the number of commands that the TPM has received so far.
count() { tpm_commands | wc -l; }
during() {
	until grep -q 'suspend debug: Waiting for 5 second' "$console_log"; do sleep 0.1; done
	first=$(count) last=''
	while :; do
		count=$(count)
		# The kernel prints this before it thaws user space.
		grep -q 'OOM killer enabled' "$console_log" && break
		last=$count
		sleep 0.1
	done
	echo "$first $last" >"$dir/suspended"
}

guest() {
	# In this test mode the kernel waits for 5 s while the devices are suspended. khwrngd is not frozen,
	# and soon after the boot it reads every 5 s.
	if ! echo devices >/sys/power/pm_test; then
		skip "the TPM is suspended" "this kernel has no /sys/power/pm_test"
		return
	fi
	check "the module loads" modprobe tpm_rng duplicate=1
	echo tpm_rng.0 >$hw_random/rng_current
	check_equal "tpm_rng.0 is selected" tpm_rng.0 "$(cat $hw_random/rng_current)"
	echo freeze >/sys/power/state
	check_match "the devices were suspended" 'suspend debug: Waiting for 5 second' "$(dmesg)"
	check_equal "tpm_rng.0 serves again" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
	check_equal "the log has no TPM error" "" "$(dmesg | grep -e 'tpm_rng: tpm_rng.0: ' -e 'tpm tpm0: ')"
	check "the module unloads" rmmod tpm_rng
}

after() {
	if [ ! -s "$dir/suspended" ]; then
		skip "pitfall 6: no command reached the suspended TPM" "the guest was not suspended"
		return
	fi
	check_match "pitfall 6: no command reached the suspended TPM" '^([0-9]+) \1$' "$(cat "$dir/suspended")"
}
