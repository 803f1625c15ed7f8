# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd with its default configuration"
programs="build/hwrngd build/hwrngctl"
rng=none
cpu=max,-rdrand,-rdseed
cmdline="random.trust_cpu=off random.trust_bootloader=off"
timeout=180

run() { hwrngd; }

# kernel_time WORDS: prints the time of a line of the kernel's log, in seconds.
kernel_time() { dmesg | sed -n "s/^\[ *\([0-9.]*\)\] .*$1.*/\1/p"; }
is_ready() { dmesg | grep -q 'crng init done'; }

guest() {
	mkdir -p /etc
	ln -s /usr/bin/kmod /sbin/modprobe
	check_fails "the CRNG is not ready" 1 is_ready
	check_match "the pool is nearly empty" '^[0-9]{1,2}$' "$(cat /proc/sys/kernel/random/entropy_avail)"
	echo "the daemon starts" >/dev/kmsg
	run >/tmp/log 2>&1 &
	for _ in $(seq 200); do
		! is_ready || break
		usleep 300000
	done
	if is_ready; then
		begin=$(kernel_time "the daemon starts")
		diag "figure: $(awk -v begin="$begin" -v end="$(kernel_time 'crng init done')" 'BEGIN { printf "%.2f", end - begin }') s"
	else
		diag "figure: never within 60 s"
	fi
	diag "$(cat /tmp/log)"
}
