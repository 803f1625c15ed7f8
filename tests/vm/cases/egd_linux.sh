# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="egd: ekeyd-egd-linux fills the kernel's pool from hwrngd"
programs="build/hwrngd build/hwrngd-egd build/hwrngctl /usr/bin/jq"
kernels=5.10 kernels_why="ekeyd-egd-linux waits for POLLOUT, which /dev/random gives no more since 5.18"
rng=none
cmdline="random.trust_cpu=on"

before() {
	cached "$cache/egd-linux" unpack_egd_linux
	programs="$programs $cache/egd-linux/usr/sbin/ekeyd-egd-linux"
}
unpack_egd_linux() {
	private_apt "$PWD/apt" "$native" bookworm
	unpack_packages "$PWD" ekeyd-egd-linux
	rm -rf apt
}

entropy() { cat /proc/sys/kernel/random/entropy_avail; }
egd() { hwrngctl -o json status | jq -re ".daemon.egd.$1"; }
served() { [ "$(egd bytes_served)" -ge "$1" ]; }
filled() { [ "$(entropy)" -ge "$(cat /proc/sys/kernel/random/write_wakeup_threshold)" ]; }

guest() {
	mkdir -p /etc
	# hwrngd leaves the pool to the other one.
	printf '%s\n' 'fill_watermark = 0' 'modules = []' '[egd]' 'listen = ["tcp:127.0.0.1:8888"]' >/etc/hwrngd.conf
	echo 4096 >/proc/sys/kernel/random/write_wakeup_threshold
	hwrngd >/tmp/hwrngd.log 2>&1 &
	check "hwrngd serves clients" eventually egd pid
	is=$(tr '\t' ' ' <"/proc/$(egd pid)/status")
	check_match "its server is the daemon's user" 'Uid: 900 900 900 900' "$is"
	check_match "has no capability" 'CapPrm: 0000000000000000' "$is"
	check_match "its memory is locked" 'VmLck: *[1-9]' "$is"
	check_match "its system calls are filtered" 'Seccomp: 2' "$is"
	before=$(entropy)
	ekeyd-egd-linux -H 127.0.0.1 -p 8888 -r 1 -v >/tmp/egd-linux.log 2>&1 &
	check "ekeyd-egd-linux takes bytes" eventually served 512
	check "and the pool is full" eventually filled
	diag "entropy_avail was $before and is $(entropy); served: $(egd bytes_served)"
	diag "$(cat /tmp/egd-linux.log)"
}
