# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a stuttering TPM keeps its quality, which the framework may overwrite"

hw_random=/sys/class/misc/hw_random
other=$(cpu_source)

# Stop for less than the 2 s that the driver allows for a command. After 2 s QEMU, and with it the guest,
# would wait until swtpm cancels the command.
during() {
	until grep -q "stutter now" "$console_log"; do sleep 0.2; done
	while :; do
		kill -STOP "$swtpm_pid"
		sleep 1.5
		kill -CONT "$swtpm_pid"
		sleep 0.2
	done
}

current() { cat $hw_random/rng_current; }

khwrngd_waits() {
	for comm in /proc/[0-9]*/comm; do
		if [ "$(cat "$comm" 2>/dev/null)" = hwrng ]; then
			grep -q tpm_rng_read "${comm%comm}stack"
			return
		fi
	done
	false
}

read_rng() { [ "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)" -eq 64 ]; }

# On a generic kernel tpm_rng registers our source beside the kernel's own.
load() { modprobe cpu_rng && modprobe tpm_rng duplicate=1; }

guest() {
	check "the modules load" load
	echo tpm_rng.0 >$hw_random/rng_current
	check_equal "tpm_rng.0 is selected" tpm_rng.0 "$(current)"
	echo "stutter now" >/dev/console
	check "pitfall 4: readers are served nevertheless" timeout 20 dd if=/dev/hwrng of=/dev/null bs=64 count=4

	if [ ! -e $hw_random/rng_quality ]; then
		skip "the TPM keeps its quality" "this kernel does not show the quality, and does not overwrite it"
	else
		# Soon after the boot khwrngd reads every few seconds. The TPM may continue at any time, so
		# select the other source immediately when khwrngd waits.
		for i in $(seq 300); do
			if khwrngd_waits; then
				echo "$other" >$hw_random/rng_current
				break
			fi
			usleep 50000
		done
		check_equal "another source was selected while khwrngd waited for the TPM" "$other" "$(current)"
		check "the other source serves" read_rng
		check_equal "the other source has its own quality" "$(cpu_quality "$other")" "$(cat $hw_random/rng_quality)"
		echo tpm_rng.0 >$hw_random/rng_current
		check_equal "the TPM has kept its quality" 512 "$(cat $hw_random/rng_quality)"
	fi
	check "the modules unload" timeout 10 rmmod tpm_rng cpu_rng
}
