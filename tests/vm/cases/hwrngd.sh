# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154,SC3045
description="hwrngd: feeds from all sources, quarantines a failing one, uses it again after its recovery, ends properly"
programs="build/hwrngd build/hwrngctl"
flavours="cloud generic" flavours_why="the daemon has not been tested on the debug kernel yet"
rng="file"
timeout=240

before() { mkfifo "$rng_file"; }

# Writes random bytes, but zeros while the guest asks for them.
during() {
	while :; do
		from=/dev/urandom
		case $(grep -aoE "(sick|well) now" "$console_log" | tail -n 1) in
		sick*) from=/dev/zero ;;
		esac
		dd if=$from bs=256 count=16 2>/dev/null
	done >"$rng_file"
}

guest() {
	check_equal "status says that hwrngd is not running" 1 "$(hwrngctl status | grep -c 'hwrngd is not running')"
	mkdir -p /etc
	echo 'reseed_interval = "often"' >/etc/hwrngd.conf
	check_fails "a bad configuration is refused" 2 hwrngd --check-config
	check_match "the message names the file, line and key" 'hwrngd.conf, line 1: reseed_interval: give seconds' "$(cat "$output")"
	check_fails "hwrngd does not start with it" 2 hwrngd

	printf '%s\n' 'reseed_interval = 0.2' 'feed_bytes = 2048' >/etc/hwrngd.conf
	check "a good configuration is accepted" hwrngd --check-config
	check_fails "hwrngd does not start as an ordinary user" 4 as_user hwrngd
	start
	check "the hwrng is healthy" becomes virtio_rng.0 healthy
	check "the TPM is healthy" becomes tpmrm0 healthy
	check "the CPU is healthy" becomes rdrand healthy
	check "the pool is fed" more_fed
	diag "$(hwrngctl --output=json status)"
	check_fails "a second hwrngd does not start" 69 hwrngd
	check_match "the second hwrngd says why" 'another hwrngd is running' "$(cat "$output")"
	check_match "the modules are loaded" '^tpm_rng ' "$(cat /proc/modules)"
	is=$(tr '\t' ' ' <"/proc/$daemon/status")
	check_match "its memory is locked" 'VmLck: *[1-9]' "$is"
	check_match "it runs as its own user" 'Uid: 900 900 900 900' "$is"
	check_match "its only permitted capability is CAP_SYS_ADMIN" 'CapPrm: 0000000000200000' "$is"
	check_match "its only effective capability is CAP_SYS_ADMIN" 'CapEff: 0000000000200000' "$is"
	check_match "its bounding set is empty" 'CapBnd: 0000000000000000' "$is"
	check_match "it cannot gain privileges" 'NoNewPrivs: 1' "$is"
	check_match "its system calls are filtered" 'Seccomp: 2' "$is"

	# Without other sources, so that every ioctl is for the hwrng's bytes.
	echo 'deny = ["tpm*", "cpu_rng.*", "rd*"]' >/etc/hwrngd.conf.new
	cat /etc/hwrngd.conf >>/etc/hwrngd.conf.new
	mv /etc/hwrngd.conf.new /etc/hwrngd.conf
	kill -HUP "$daemon"
	check "a denied source is no longer used" becomes tpmrm0 ""
	check_match "policy says why" 'tpmrm0 +ignore +denied by "tpm\*"' "$(hwrngctl policy --explain)"
	echo "sick now" >/dev/console
	check "zeros quarantine the hwrng" becomes virtio_rng.0 quarantined
	ioctls=$(fed)
	bits=$(credited virtio_rng.0)
	sleep 2
	check_equal "nothing is fed from it" "$ioctls" "$(fed)"
	check_equal "no bits of it are credited" "$bits" "$(credited virtio_rng.0)"
	check_match "the log has the reason, once" '^1$' "$(grep -c 'virtio_rng.0: quarantined, was healthy: SP 800-90B: repetition count' "$log")"
	echo "well now" >/dev/console
	# The host's FIFO is full of zeros.
	for _ in $(seq 100); do
		[ "$(dd if=/dev/hwrng bs=4096 count=1 iflag=fullblock 2>/dev/null | tr -d '\0' | wc -c)" -lt 4000 ] || break
	done
	check "the hwrng becomes healthy again" becomes virtio_rng.0 healthy 600
	check "the pool is fed again" more_fed

	# Another source is preferred; then a bad configuration changes nothing.
	printf '%s\n' 'reseed_interval = 0.2' 'prefer = ["tpm_rng.*"]' >/etc/hwrngd.conf
	kill -HUP "$daemon"
	check "the preferred source is selected" eventually current_is tpm_rng.0
	echo /tmp/core >/proc/sys/kernel/core_pattern
	kill -SEGV "$daemon"
	wait "$strace"
	check_fails "a crash leaves no core file" 1 test -e /tmp/core
	check "the helper ends after a crash" eventually test ! -e "/proc/$helper"
	start
	check "the daemon starts again" becomes tpm_rng.0 healthy
	kill -KILL "$helper"
	wait "$strace"
	check_equal "the daemon ends if its helper is killed" 5 $?
	check_match "the log says so" 'the helper, which opens devices, has been killed' "$(cat "$log")"
	start
	kill -KILL "$daemon"
	wait "$strace"
	check_equal "a killed daemon leaves its selection" tpm_rng.0 "$(cat "$hw_random/rng_current")"
	check "the helper of a killed daemon ends" eventually test ! -e "/proc/$helper"
	start
	check "the daemon starts again" becomes tpm_rng.0 healthy
	check_equal "the daemon still knows its own selection" tpm_rng.0 "$(cat /run/hwrngd/chosen)"
	echo 'nonsense' >/etc/hwrngd.conf
	kill -HUP "$daemon"
	check "a bad configuration is logged" eventually \
		grep -q 'hwrngd.conf, line 1: .*; the old configuration stays in use' "$log"
	check "the daemon runs on" kill -0 "$daemon"

	# The daemon is ended in the middle of a probe.
	printf '%s\n' 'prefer = ["tpm_rng.*"]' 'reseed_interval = 0.1' 'probe_interval = 1' >/etc/hwrngd.conf
	kill -HUP "$daemon"
	if [ -e "$hw_random/rng_quality" ]; then
		check "a hwrng that is not in use is probed" eventually test -e /run/hwrngd/probe
	else
		skip "a hwrng that is not in use is probed" "this kernel can hang in a switch"
	fi
	begin=$(cut -d' ' -f1 /proc/uptime)
	kill "$daemon"
	wait "$strace"
	check_equal "the daemon ends with exit code 0" 0 $?
	diag "ending took from $begin to $(cut -d' ' -f1 /proc/uptime)"
	check_equal "the current source counts as the kernel's choice" 0 "$(cat "$hw_random/rng_selected" 2>/dev/null || echo 0)"
	check_equal "the daemon's notes are removed" "lock" "$(ls /run/hwrngd)"
	check_fails "no socket is left" 1 test -e /run/hwrngd/status
}

# Checks the status document against its schema.
after() {
	tr -d '\r' <"$ktap_log" | sed -n 's/^# //p' | sed -n '/^{$/,/^}$/p' | jq -e .daemon >"$tmp/status.json"
	check "the status follows its schema" /usr/bin/jsonschema -i "$tmp/status.json" "$top/userspace/status/status.schema.json"
}
