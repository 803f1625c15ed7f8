# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd: each fault of the CPU behind our module, and others' hands on modules and rng_current"
programs="build/hwrngd build/hwrngctl /usr/bin/jq /usr/bin/perl tests/vm/faulty"
flavours="cloud generic" flavours_why="the daemon was not tried on the debug kernel yet"
arches=amd64 arches_why="RDRAND"
cpu=max,-rdseed
long=1
timeout=600

parameters=/sys/module/cpu_rng/parameters
# ask SOURCE KIND: by kmod/fault.h, whose pattern comes again each 64 bytes; one byte of these hardly
# matters.
ask() {
	case $2 in
	zeros) set -- value=0 stick=512 ;;
	ones) set -- value=255 stick=512 ;;
	biased) set -- value=255 bias=128 ;;
	repeated) set -- bias=1 ;;
	trickle) set -- stall=2500 ;;
	stalled) set -- stall=11000 ;;
	error) set -- error=5 ;;
	starved) set -- starve=1 ;;
	short) set -- short=5 ;;
	esac
	for parameter in "$@"; do
		echo "${parameter#*=}" >"$parameters/fault_${parameter%=*}"
	done
}
# heal: and wait for a read that began before, which the next daemon would take for a stalled source.
heal() {
	for parameter in "$parameters"/fault_*; do echo 0 >"$parameter"; done
	head -c 64 /dev/hwrng >/dev/null
}

# configure DENIED [LINE...]
configure() {
	printf '%s\n' 'reseed_interval = 0.5' 'feed_bytes = 1024' "deny = [\"jitter\", \"tpmrm0\", \"rdrand\", $1]"
	shift
	printf '%s\n' "$@" '[source.fifo]' 'path = "/tmp/fifo"' 'credit = 1024' \
		'[source."tpm_rng.0"]' 'credit = 1024'
}
reread() {
	configure "$@" >/etc/hwrngd.conf
	kill -HUP "$daemon"
}
reason() { hwrngctl -o json status | jq -r .daemon.rng_reason; }
somebody_chose() { [ "$(reason)" = "somebody chose $1" ]; }

guest() {
	mkdir -p /etc
	check "our modules with faults load" insmod /faults/cpu_rng.ko
	check "both" insmod /faults/tpm_rng.ko duplicate=1
	well=fifo
	mkfifo /tmp/fifo
	faulty /tmp/kind fifo /tmp/fifo &
	cpu=cpu_rng.rdrand

	configure '"virtio_rng.*", "tpm_rng.*"' >/etc/hwrngd.conf
	for kind in zeros ones biased repeated error starved trickle stalled short; do
		check "the CPU and the FIFO serve" begin fifo $cpu
		case $kind in
		zeros | ones | error | starved) falls $cpu $kind quarantined 'Input/output error' ;;
		# Any of these may see it first: the driver, hwrngd with windows of its own, or the pattern.
		biased) falls $cpu $kind quarantined 'Input/output error|SP 800-90B: adaptive proportion|it repeats' ;;
		repeated) falls $cpu $kind quarantined 'it repeats what it gave before' ;;
		trickle) falls $cpu $kind suspect 'it took [0-9.]+ s to answer' ;;
		stalled) falls $cpu $kind quarantined 'stalled, no byte within 10 s' ;;
		short) bears $cpu $kind ;;
		esac
		heal
		stop
	done

	# Another hwrng takes its place, and then the first one comes back.
	configure '"virtio_rng.*"' 'prefer = ["cpu_rng.*", "tpm_rng.*"]' >/etc/hwrngd.conf
	check "the CPU and the FIFO serve" begin fifo $cpu
	falls $cpu error quarantined 'Input/output error'
	check "the TPM takes its place" by_and_by current_is tpm_rng.0
	check "and serves" by_and_by stepped tpm_rng.0 healthy
	heal
	stop

	# The module is unloaded by hand.
	check "the CPU and the FIFO serve" begin fifo $cpu
	goes $cpu rmmod cpu_rng
	is_left $cpu absent 'it is no longer there'
	check "the TPM takes its place" by_and_by current_is tpm_rng.0
	check "and serves" by_and_by stepped tpm_rng.0 healthy
	check "the module comes back" insmod /faults/cpu_rng.ko
	check "its source is chosen again" by_and_by current_is $cpu

	# Somebody else writes rng_current.
	echo virtio_rng.0 >"$hw_random/rng_current"
	check "somebody else's choice is seen" by_and_by somebody_chose virtio_rng.0
	# A probe of another one puts it back.
	check "and stands" by_and_by current_is virtio_rng.0
	reread '"virtio_rng.*"' 'prefer = ["cpu_rng.*", "tpm_rng.*"]' 'rng_current = "hold"'
	check "with hold it is taken back" by_and_by current_is $cpu
	echo virtio_rng.0 >"$hw_random/rng_current"
	check "each time" by_and_by current_is $cpu
	check "the source that was taken away serves again" by_and_by current_serves
	reread '"virtio_rng.*"' 'prefer = ["cpu_rng.*", "tpm_rng.*"]' 'rng_current = "leave"'
	echo virtio_rng.0 >"$hw_random/rng_current"
	sleep 3
	check "with leave it stands" by_and_by current_is virtio_rng.0
	check_match "and that is said" 'rng_current = "leave"' "$(reason)"
	stop
}
current_serves() { [ "$(of $cpu '"\(.use) \(.state)"')" = "read healthy" ]; }
