# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="egd: ekeyd-egd-linux fills the kernel's pool from hwrngd"
kernels=5.10 kernels_why="ekeyd-egd-linux waits for POLLOUT, which /dev/random no longer gives since 5.18"
arches=amd64 arches_why="ekeyd-egd-linux is fetched for amd64 only"
tpm=none
rng=none
cpu=max,-rdrand,-rdseed
cmdline="random.trust_cpu=off random.trust_bootloader=off"

before() {
	# shellcheck source=../../peers/tree.sh
	. "$top/tests/peers/tree.sh"
	cd "$top" || return
	cached "$cache/egd-linux" unpack_egd_linux
	programs="$cache/egd-linux/usr/sbin/ekeyd-egd-linux"
	eval 'port=$((20000 + RANDOM % 10000))'
	start_with_egd "$tmp/tree" "$dir/hwrngd.log" "tcp:127.0.0.1:$port"
	eval 'pids+=("$daemon")' # eval, because dash does not understand this
	cmdline="$cmdline egd_port=$port"
	# In the guest, 10.0.2.2 is the host's 127.0.0.1.
	qemu_options="-netdev user,id=net -device virtio-net-pci,netdev=net,romfile="
}
unpack_egd_linux() {
	private_apt "$PWD/apt" "$native" bookworm
	unpack_packages "$PWD" ekeyd-egd-linux
	rm -rf apt
}

ready() { dmesg | grep -q 'crng init done'; }
waits() { for _ in $(seq 60); do ! ready || return 0; sleep 0.5; done; return 1; }

guest() {
	port=$(sed -n 's/.*egd_port=\([0-9]*\).*/\1/p' /proc/cmdline)
	check "the network driver loads" modprobe virtio_net
	check "the network interface gets an address" ip address add 10.0.2.15/24 dev eth0
	check "the network interface is up" ip link set eth0 up
	# The kernel also collects timing noise, and may make the CRNG ready by itself at any moment.
	if ready; then
		skip "ekeyd-egd-linux makes the CRNG ready" "the kernel already made the CRNG ready by itself"
		return
	fi
	ekeyd-egd-linux -H 10.0.2.2 -p "$port" -r 1 >/tmp/egd-linux.log 2>&1 &
	check "ekeyd-egd-linux makes the CRNG ready" waits
	diag "$(cat /tmp/egd-linux.log)"
}

served() { [ "$(egd_status "$tmp/tree" .bytes_served)" -ge 128 ]; }
after() {
	if grep -q '# SKIP the kernel already made the CRNG ready' "$ktap_log"; then
		skip "hwrngd has served bytes to it" "the kernel already made the CRNG ready by itself"
	else
		check "hwrngd has served bytes to it" served
	fi
}
