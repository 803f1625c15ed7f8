# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="egd: the client recovers after a pulled cable, a lossy and slow network, and a server restart"
kernels="6.12" kernels_why="the client is tested, not the kernel"
# Two network namespaces are the two hosts, and a pair of veth devices is the cable.
programs="build/hwrngd build/hwrngctl build/hwrngd-egd build/hwrngd-pull /usr/sbin/ip /usr/sbin/tc /usr/bin/jq"
tpm=none
rng=none
timeout=900
long=1

before() { need tc iproute2; }

other_namespace() { [ "$(readlink "/proc/$far/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
in_far() { nsenter -t "$far" -n "$@"; }
# The files below /tmp/far pretend to be the far host. Its only source is this kernel's /dev/urandom.
make_far() {
	mkdir -p /tmp/far/dev /tmp/far/etc /tmp/far/proc/self /tmp/far/proc/sys/kernel
	: >/tmp/far/proc/cpuinfo
	printf 'CapEff:\t000001ffffffffff\n' >/tmp/far/proc/self/status
	echo 0-far >/tmp/far/proc/sys/kernel/osrelease
	: >/tmp/far/dev/random
	ln -s /dev/urandom /tmp/far/dev/generator
	printf '%s\n' '[source.generator]' 'path = "/dev/generator"' 'credit = 1024' \
		'[egd]' 'listen = ["tcp:192.0.2.2:8888"]' 'plaintext = true' >/tmp/far/etc/hwrngd.conf
}
start_server() {
	nsenter -t "$far" -n hwrngd --root /tmp/far >>/tmp/far.log 2>&1 & # without a shell in between
	server=$!
}
serves() { [ "$(hwrngctl --root /tmp/far -o json status | jq .daemon.egd.available)" -ge 4096 ]; }

note() { had=$(of far .bytes_read); }
gives() { [ "$(of far .bytes_read)" -gt "$had" ]; }
recovers() {
	note
	check "$1, then undone: the client recovers by itself" becomes far healthy 1800
	check "$1, then undone: the client reads on" by_and_by gives
	check "$1, then undone: nothing is credited" test "$(of far .credited_bits)" = 0
	check "$1, then undone: the daemon was not restarted" kill -0 "$daemon"
}
notices() { check "$1: the client notices" becomes far quarantined 900; }

guest() {
	check "the drivers for the cable and the bad network load" modprobe -a veth sch_netem
	unshare -n sleep 100000 &
	far=$!
	check "the far host is started" eventually other_namespace
	check "the cable is there" ip link add near type veth peer name far netns "$far"
	ip address add 192.0.2.1/24 dev near
	in_far ip address add 192.0.2.2/24 dev far
	ip link set near up
	in_far ip link set far up

	make_far
	start_server
	check "the server has bytes to serve" by_and_by serves
	mkdir -p /etc
	printf '%s\n' 'reseed_interval = 1' 'modules = []' 'deny = ["rd*", "jitter"]' \
		'[source.far]' 'egd = "tcp:192.0.2.2:8888"' >/etc/hwrngd.conf
	start
	check "the client reads from the server" becomes far healthy 900
	check_equal "the status shows the server as an EGD source" "egd tcp:192.0.2.2:8888" "$(of far '.kind + " " + .driver')"
	had=0
	check "the client reads bytes" by_and_by gives

	in_far ip link set far down
	notices "the cable is pulled"
	in_far ip link set far up
	recovers "the cable is pulled"

	tc qdisc add dev near root netem loss 100%
	notices "all packets are dropped"
	tc qdisc del dev near root
	recovers "all packets are dropped"

	# Bytes must arrive, whatever state the source gets to.
	tc qdisc add dev near root netem delay 200ms 50ms loss 10%
	note
	check "packets are late or dropped: bytes still arrive" by_and_by gives
	tc qdisc del dev near root
	recovers "packets are late or dropped"

	kill "$server"
	wait "$server"
	notices "the server ends"
	start_server
	check "the server has bytes to serve again" by_and_by serves
	recovers "the server ends"

	check "no bit was credited to the kernel" test "$(grep -c 'RNDADDENTROPY, {entropy_count=[1-9]' /tmp/ioctl)" = 0
	diag "$(grep '^hwrngd: far: tcp:' "$log")"
	check "the log has the reasons" grep -q '^hwrngd: far: tcp:192.0.2.2:8888: Connection refused' "$log"
	kill "$server"
}
