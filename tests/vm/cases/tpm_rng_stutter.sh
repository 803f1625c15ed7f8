# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a TPM that stutters, and the quality that the framework then mixes up"

hw_random=/sys/class/misc/hw_random
case $arch in
amd64) other=cpu_rng.rdrand ;;
arm64) other=cpu_rng.rndr ;;
esac

# Below the 2 s that the driver of the TPM allows for a command: after it, QEMU waits for
# swtpm to cancel, and with QEMU the guest.
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

guest() {
	check "the modules load" modprobe -a tpm_rng cpu_rng
	echo tpm_rng.0 >$hw_random/rng_current
	check_equal "tpm_rng.0 is selected" tpm_rng.0 "$(current)"
	echo "stutter now" >/dev/console
	check "pitfall 4: readers are served all the same" timeout 20 dd if=/dev/hwrng of=/dev/null bs=64 count=4

	if [ ! -e $hw_random/rng_quality ]; then
		skip "the TPM's quality" "this kernel neither shows nor mixes it up"
	else
		# On so young a system khwrngd comes every few seconds. The TPM may go on at any
		# time, so nothing lies between seeing it wait and selecting.
		for i in $(seq 300); do
			if khwrngd_waits; then
				echo "$other" >$hw_random/rng_current
				break
			fi
			usleep 50000
		done
		check_equal "another source was selected while khwrngd waited for the TPM" "$other" "$(current)"
		check "it serves" read_rng
		check_equal "with its own quality" 4 "$(cat $hw_random/rng_quality)"
		echo tpm_rng.0 >$hw_random/rng_current
		check_equal "the TPM's quality is what it was" 512 "$(cat $hw_random/rng_quality)"
	fi
	check "the modules unload" timeout 10 rmmod tpm_rng cpu_rng
}
