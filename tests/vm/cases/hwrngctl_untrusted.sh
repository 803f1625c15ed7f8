# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl and hwrngd: nothing of a CPU that the kernel does not trust is credited, unless configured"
programs="build/hwrngctl build/hwrngd build/hwrngd-egd /usr/bin/jq"
flavours="cloud generic" flavours_why="the daemon has not been tested on the debug kernel yet"
arches=amd64 arches_why="it uses instructions of amd64"
rng=none
tpm=none
cpu=max,-rdseed
cmdline=random.trust_cpu=off

egd=/run/hwrngd/egd
why="the kernel was booted with random.trust_cpu=off"
of() { hwrngctl -o json status | jq -r ".daemon.sources[] | select(.name == \"$1\") | $2"; }
is() { [ "$(of "$1" "$2")" = "$3" ]; }
for_clients() { hwrngctl -o json status | jq .daemon.egd.available; }
has_for_clients() { [ "$(for_clients)" -gt 0 ]; }

guest() {
	check_match "policy says why the CPU earns nothing" "rdrand +read +CPU instruction; earns no credit: $why" "$(hwrngctl policy --explain)"
	check_match "status says so" "^rdrand earns no credit: $why" "$(hwrngctl status)"
	check_match "doctor says so" 'cpu-not-trusted' "$(hwrngctl doctor --all)"
	trace_ioctl hwrngctl -o json feed --once --source rdrand >/tmp/fed 2>/tmp/said
	check_equal "feed credits nothing" 0 "$(jq .credited_bits </tmp/fed)"
	check_equal "feed says why" "$why" "$(jq -r .distrust </tmp/fed)"
	check_equal "the kernel was told no credit" "" "$(grep -E 'RNDADDENTROPY, .entropy_count=[1-9]' "$ioctl_trace")"

	mkdir -p /etc
	printf '%s\n' 'reseed_interval = 0.2' 'modules = ["cpu_rng"]' '[egd]' "listen = [\"unix:$egd\"]" >/etc/hwrngd.conf
	start
	check "the daemon reads and tests the CPU" eventually is rdrand .state healthy
	check "the bytes are mixed in" eventually is rdrand '.bytes_fed > 0' true
	check_match "the daemon does not load cpu_rng, and says why" "module cpu_rng is not loaded: $why, and no .credit. is configured" "$(cat "$log")"
	check_fails "cpu_rng is not loaded" 1 test -d /sys/module/cpu_rng
	check "the EGD server listens" eventually test -S $egd
	check_equal "nothing is available to EGD clients" 0 "$(for_clients)"
	check_equal "nothing was drawn from the CPU" 0 "$(of rdrand .bytes_drawn)"
	check_equal "nothing was credited" 0 "$(of rdrand .credited_bits)"

	check "an administrator loads cpu_rng" hwrngctl load cpu
	check_match "hwrngctl says that it is not credited, and what to do" "hwrngd does not credit it: $why.*set .credit. in .source" "$(cat "$output")"
	check "the daemon reads the hwrng too" eventually is cpu_rng.rdrand .state healthy
	check "its bytes are mixed in" eventually is cpu_rng.rdrand '.bytes_fed > 0' true
	check_equal "the hwrng earns nothing either" 0 "$(of cpu_rng.rdrand .credited_bits)"
	check_equal "the kernel was told no credit" "" "$(grep -E 'RNDADDENTROPY, .entropy_count=[1-9]' /tmp/ioctl)"

	printf '%s\n' '[source."cpu_rng.*"]' 'credit = 512' >>/etc/hwrngd.conf
	kill -HUP "$daemon"
	check "the administrator's credit counts" eventually is cpu_rng.rdrand '.credited_bits > 0' true
	check "the kernel is told" eventually grep -qE 'RNDADDENTROPY, .entropy_count=[1-9]' /tmp/ioctl
	check "bytes are available to EGD clients" eventually has_for_clients
	kill "$daemon"
	wait "$strace"
	check_equal "the daemon ends with exit code 0" 0 $?
	check "unload cpu" hwrngctl unload cpu
	start
	check "with this credit, the daemon loads cpu_rng itself" eventually test -d /sys/module/cpu_rng
	kill "$daemon"
	wait "$strace"
}
