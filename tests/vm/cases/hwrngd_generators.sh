# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd: a machine without hardware: jitter, then a FIFO and a command"
programs="build/hwrngd build/hwrngctl"
kernels="5.10 7.3" kernels_why="of what it reads, the kernel's jitter alone differs: the oldest and the newest"
flavours="cloud generic" flavours_why="the daemon was not tried on the debug kernel yet"
timeout=240
rng=none
tpm=none
cpu=max,-rdrand,-rdseed

# The generator's other end gives PATH's bytes from now on.
generate() {
	[ ! "$writer" ] || kill "$writer"
	cat "$1" >/tmp/generator &
	writer=$!
}
has_credit() { [ "$(credited "$1")" -gt 0 ]; }
no_cat() { ! pidof cat; }

guest() {
	ln -s /usr/bin/kmod /sbin/modprobe # by which the kernel loads what AF_ALG takes
	mkdir -p /etc
	echo 'reseed_interval = 0.2' >/etc/hwrngd.conf
	start
	if [ "$kernel" = 7.3 ]; then
		check "this kernel keeps its jitter for itself" becomes jitter quarantined
		check "and how it can be had is said" grep -q 'jitter: quarantined.*sysctl crypto.af_alg_restrict=0' "$log"
		echo 0 >/proc/sys/crypto/af_alg_restrict
	fi
	check "without hardware the kernel's jitter is read" becomes jitter healthy
	check "it is credited" eventually has_credit jitter
	check "the pool is fed" more_fed

	mkfifo /tmp/generator
	generate /dev/urandom
	cat >>/etc/hwrngd.conf <<-END
		[source.fifo]
		path = "/tmp/generator"
		credit = 512
		[source.command]
		command = ["cat", "/dev/urandom"]
		[source.late]
		path = "/tmp/late"
	END
	kill -HUP "$daemon"
	check "a FIFO is read" becomes fifo healthy
	check "a command is read" becomes command healthy
	check "jitter is not needed beside them" becomes jitter ""
	check_equal "what is not plugged in is not used" "" "$(state late)"
	check_match "and that is said" 'late +ignore +is absent: /tmp/late does not exist' "$(hwrngctl policy --explain)"
	check_fails "it is no source to test" 3 hwrngctl test --source late
	mkfifo /tmp/late
	cat /dev/urandom >/tmp/late &
	late=$!
	echo add >"$hw_random/uevent"
	check "a device's event brings it" becomes late healthy
	rm /tmp/late
	kill "$late"
	check "the FIFO has its credit" eventually has_credit fifo
	check_equal "the command has none" 0 "$(credited command)"
	check_match "they are listed" 'fifo +generator +/tmp/generator' "$(hwrngctl list)"
	diag "$(hwrngctl --output=json status)"
	hwrngctl metrics --listen 127.0.0.1:9752 &
	exporter=$!
	check "Prometheus is answered" eventually wget -q -O /tmp/metrics http://127.0.0.1:9752/metrics
	check_match "it is told of each source" 'hwrngd_source_state{source="fifo",kind="generator",state="healthy"} 1' "$(cat /tmp/metrics)"
	check_match "and of the feeds" '^hwrngd_feeds_total [1-9]' "$(cat /tmp/metrics)"
	kill $exporter
	wait $exporter
	check "a file for node_exporter" hwrngctl metrics --textfile /tmp/hwrngd.prom
	check_match "says the same" 'hwrngd_source_credited_bits_total{source="fifo",kind="generator"} [1-9]' "$(cat /tmp/hwrngd.prom)"

	check_fails "hwrngctl does not take the FIFO's bytes away" 5 hwrngctl test --source fifo
	check_match "it is busy" 'busy' "$(cat "$output")"

	generate /dev/zero
	check "zeros quarantine the FIFO" becomes fifo quarantined
	bits=$(credited fifo)
	check "the command goes on" more_fed
	check_equal "the FIFO's credit does not" "$bits" "$(credited fifo)"
	generate /dev/urandom
	timeout 10 dd if=/tmp/generator of=/dev/null bs=4096 count=17 # what the pipe holds
	check "it comes back" becomes fifo healthy 900
	check "and is credited" eventually has_credit fifo

	rm /tmp/generator
	kill "$writer"
	wait "$writer"
	kill -HUP "$daemon"
	check "a generator that is gone is gone" becomes fifo ""
	check_match "and is absent" 'fifo +generator +/tmp/generator \(absent\)' "$(hwrngctl list)"
	check "and the command serves" becomes command healthy

	kill "$daemon"
	wait "$strace"
	check_equal "it ends with 0" 0 $?
	check "and its command with it" eventually no_cat
}
