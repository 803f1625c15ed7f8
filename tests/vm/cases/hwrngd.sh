# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154,SC3045
description="hwrngd: feeds from all sources, leaves a sick one alone, takes it back, ends in order"
programs="build/hwrngd build/hwrngctl"
flavours="cloud generic" flavours_why="the daemon was not tried on the debug kernel yet"
rng="file"
timeout=240

before() { mkfifo "$rng_file"; }

# Random bytes, but zeros while the guest asks for them.
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
	check_equal "no daemon is said to run" 1 "$(hwrngctl status | grep -c 'hwrngd is not running')"
	mkdir -p /etc
	echo 'reseed_interval = "often"' >/etc/hwrngd.conf
	check_fails "a bad configuration is refused" 2 hwrngd --check-config
	check_match "by file, line and key" 'hwrngd.conf, line 1: reseed_interval: give seconds' "$(cat "$output")"
	check_fails "and nothing starts with it" 2 hwrngd

	printf '%s\n' 'reseed_interval = 0.2' 'feed_bytes = 2048' >/etc/hwrngd.conf
	check "a good one is taken" hwrngd --check-config
	check_fails "an ordinary user is told what is missing" 4 as_user hwrngd
	start
	check "the hwrng is fed from" becomes virtio_rng.0 healthy
	check "and the TPM" becomes tpmrm0 healthy
	check "and the CPU" becomes rdrand healthy
	check "the pool is fed" more_fed
	diag "$(hwrngctl --output=json status)"
	check_fails "a second one does not start" 69 hwrngd
	check_match "and says why" 'another hwrngd is running' "$(cat "$output")"
	check_match "the modules are loaded" '^tpm_rng ' "$(cat /proc/modules)"
	is=$(tr '\t' ' ' <"/proc/$daemon/status")
	check_match "its memory is locked" 'VmLck: *[1-9]' "$is"
	check_match "it is a user of its own" 'Uid: 900 900 900 900' "$is"
	check_match "with one capability, CAP_SYS_ADMIN" 'CapPrm: 0000000000200000' "$is"
	check_match "in effect" 'CapEff: 0000000000200000' "$is"
	check_match "and never more" 'CapBnd: 0000000000000000' "$is"
	check_match "it gains no privileges" 'NoNewPrivs: 1' "$is"
	check_match "its system calls are filtered" 'Seccomp: 2' "$is"

	# Alone, so that every ioctl is the hwrng's.
	echo 'deny = ["tpm*", "cpu_rng.*", "rd*"]' >/etc/hwrngd.conf.new
	cat /etc/hwrngd.conf >>/etc/hwrngd.conf.new
	mv /etc/hwrngd.conf.new /etc/hwrngd.conf
	kill -HUP "$daemon"
	check "what is denied is left" becomes tpmrm0 ""
	check_match "and policy says why" 'tpmrm0 +ignore +denied by "tpm\*"' "$(hwrngctl policy --explain)"
	echo "sick now" >/dev/console
	check "zeros quarantine the hwrng" becomes virtio_rng.0 quarantined
	ioctls=$(fed)
	bits=$(credited virtio_rng.0)
	sleep 2
	check_equal "nothing is fed from it" "$ioctls" "$(fed)"
	check_equal "nor credited" "$bits" "$(credited virtio_rng.0)"
	check_match "the log says why, once" '^1$' "$(grep -c 'virtio_rng.0: quarantined, was healthy: SP 800-90B: repetition count' "$log")"
	echo "well now" >/dev/console
	# The host's FIFO is full of zeros.
	for _ in $(seq 100); do
		[ "$(dd if=/dev/hwrng bs=4096 count=1 iflag=fullblock 2>/dev/null | tr -d '\0' | wc -c)" -lt 4000 ] || break
	done
	check "it comes back" becomes virtio_rng.0 healthy 600
	check "and is fed from" more_fed

	# Another source is preferred; then a bad configuration changes nothing.
	printf '%s\n' 'reseed_interval = 0.2' 'prefer = ["tpm_rng.*"]' >/etc/hwrngd.conf
	kill -HUP "$daemon"
	check "what is preferred is chosen" eventually current_is tpm_rng.0
	echo /tmp/core >/proc/sys/kernel/core_pattern
	kill -SEGV "$daemon"
	wait "$strace"
	check_fails "a crash leaves no memory behind" 1 test -e /tmp/core
	check "nor its helper" eventually test ! -e "/proc/$helper"
	start
	check "it starts again" becomes tpm_rng.0 healthy
	kill -KILL "$helper"
	wait "$strace"
	check_equal "without its helper it ends" 5 $?
	check_match "and says so" 'the helper, which opens devices, has been killed' "$(cat "$log")"
	start
	kill -KILL "$daemon"
	wait "$strace"
	check_equal "a daemon that is killed has done nothing more" tpm_rng.0 "$(cat "$hw_random/rng_current")"
	check "its helper ends" eventually test ! -e "/proc/$helper"
	start
	check "it starts again" becomes tpm_rng.0 healthy
	check_equal "and knows its own choice" tpm_rng.0 "$(cat /run/hwrngd/chosen)"
	echo 'nonsense' >/etc/hwrngd.conf
	kill -HUP "$daemon"
	check "a bad configuration is told" eventually \
		grep -q 'hwrngd.conf, line 1: .*; the old configuration stays' "$log"
	check "and it goes on" kill -0 "$daemon"

	# It ends in the midst of a probe.
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
	check_equal "it ends with 0" 0 $?
	diag "it took from $begin to $(cut -d' ' -f1 /proc/uptime)"
	check_equal "the choice is the kernel's again" 0 "$(cat "$hw_random/rng_selected" 2>/dev/null || echo 0)"
	check_equal "and forgotten" "lock" "$(ls /run/hwrngd)"
	check_fails "no socket is left" 1 test -e /run/hwrngd/status
}

# The document is as its schema says.
after() {
	tr -d '\r' <"$ktap_log" | sed -n 's/^# //p' | sed -n '/^{$/,/^}$/p' | jq -e .daemon >"$tmp/status.json"
	check "the status follows its schema" /usr/bin/jsonschema -i "$tmp/status.json" "$top/userspace/status/status.schema.json"
}
