# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd: on a machine without hardware it uses jitter, then a FIFO and a command"
programs="build/hwrngd build/hwrngctl"
kernels="5.10 7.3" kernels_why="only the kernel's jitter differs between kernels; so only the oldest and the newest"
flavours="cloud generic" flavours_why="the daemon has not been tested on the debug kernel yet"
timeout=240
rng=none
tpm=none
cpu=max,-rdrand,-rdseed

# generate PATH: from now on the generator returns the bytes of PATH.
generate() {
	[ ! "$writer" ] || kill "$writer"
	cat "$1" >/tmp/generator &
	writer=$!
}
has_credit() { [ "$(credited "$1")" -gt 0 ]; }
no_cat() { ! pidof cat; }

guest() {
	ln -s /usr/bin/kmod /sbin/modprobe # the kernel needs it to load modules for AF_ALG
	mkdir -p /etc
	echo 'reseed_interval = 0.2' >/etc/hwrngd.conf
	start
	if [ "$kernel" = 7.3 ]; then
		check "jitter is quarantined, because this kernel restricts AF_ALG" becomes jitter quarantined
		check "the log says how to allow AF_ALG" grep -q 'jitter: quarantined.*sysctl crypto.af_alg_restrict=0' "$log"
		echo 0 >/proc/sys/crypto/af_alg_restrict
	fi
	check "without hardware the daemon uses the kernel's jitter" becomes jitter healthy
	check "jitter is credited" eventually has_credit jitter
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
	check "jitter is no longer used beside them" becomes jitter ""
	check_equal "a generator that is not plugged in has no state" "" "$(state late)"
	check_match "policy says that it is absent" 'late +ignore +is absent: /tmp/late does not exist' "$(hwrngctl policy --explain)"
	check_fails "an absent source cannot be tested" 3 hwrngctl test --source late
	mkfifo /tmp/late
	cat /dev/urandom >/tmp/late &
	late=$!
	echo add >"$hw_random/uevent"
	check "a device event makes the daemon use it" becomes late healthy
	rm /tmp/late
	kill "$late"
	check "the FIFO is credited" eventually has_credit fifo
	check_equal "the command is not credited" 0 "$(credited command)"
	check_match "the FIFO is listed" 'fifo +generator +/tmp/generator' "$(hwrngctl list)"
	diag "$(hwrngctl --output=json status)"
	hwrngctl metrics --listen 127.0.0.1:9752 &
	exporter=$!
	check "the exporter answers" eventually wget -q -O /tmp/metrics http://127.0.0.1:9752/metrics
	check_match "the metrics have the state of each source" 'hwrngd_source_state{source="fifo",kind="generator",state="healthy"} 1' "$(cat /tmp/metrics)"
	check_match "the metrics have the number of feeds" '^hwrngd_feeds_total [1-9]' "$(cat /tmp/metrics)"
	kill $exporter
	wait $exporter
	check "metrics --textfile writes a file for node_exporter" hwrngctl metrics --textfile /tmp/hwrngd.prom
	check_match "the file has the same metrics" 'hwrngd_source_credited_bits_total{source="fifo",kind="generator"} [1-9]' "$(cat /tmp/hwrngd.prom)"

	check_fails "hwrngctl does not take the FIFO's bytes away" 5 hwrngctl test --source fifo
	check_match "it says that the FIFO is busy" 'busy' "$(cat "$output")"

	generate /dev/zero
	check "zeros quarantine the FIFO" becomes fifo quarantined
	bits=$(credited fifo)
	check "the pool is fed from the command" more_fed
	check_equal "the FIFO gets no more credit" "$bits" "$(credited fifo)"
	generate /dev/urandom
	timeout 10 dd if=/tmp/generator of=/dev/null bs=4096 count=17 # as much as the pipe holds
	check "the FIFO becomes healthy again" becomes fifo healthy 900
	check "the FIFO is credited" eventually has_credit fifo

	rm /tmp/generator
	kill "$writer"
	wait "$writer"
	kill -HUP "$daemon"
	check "a removed generator has no state" becomes fifo ""
	check_match "list says that it is absent" 'fifo +generator +/tmp/generator \(absent\)' "$(hwrngctl list)"
	check "the command is healthy" becomes command healthy

	kill "$daemon"
	wait "$strace"
	check_equal "the daemon ends with exit code 0" 0 $?
	check "the daemon's command has ended too" eventually no_cat
}
