# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd: each fault of the CPU behind our module; modules and rng_current changed by others"
programs="build/hwrngd build/hwrngctl /usr/bin/jq /usr/bin/perl tests/vm/faulty"
flavours="cloud generic" flavours_why="the daemon has not been tested on the debug kernel yet"
arches=amd64 arches_why="RDRAND"
cpu=max,-rdseed
long=1
timeout=600

parameters=/sys/module/cpu_rng/parameters
# ask SOURCE KIND: makes the source have this fault, by the parameters of kmod/fault.h. For "repeated"
# the pattern of fault.h is enough, which repeats every 64 bytes but for one byte.
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
# heal: removes the fault. Then waits for a read that began before, because the next daemon would take it
# for a stalled source.
heal() {
	for parameter in "$parameters"/fault_*; do echo 0 >"$parameter"; done
	head -c 64 /dev/hwrng >/dev/null
}

# configure DENIED [LINE...]: prints a configuration.
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
is_selected() { [ "$(reason)" = "an administrator selected $1" ]; }

guest() {
	mkdir -p /etc
	check "cpu_rng with faults loads" insmod /faults/cpu_rng.ko
	check "tpm_rng with faults loads" insmod /faults/tpm_rng.ko duplicate=1
	well=fifo
	mkfifo /tmp/fifo
	faulty /tmp/kind fifo /tmp/fifo &
	cpu=cpu_rng.rdrand

	configure '"virtio_rng.*", "tpm_rng.*"' >/etc/hwrngd.conf
	for kind in zeros ones biased repeated error starved trickle stalled short; do
		check "the CPU and the FIFO are healthy" begin fifo $cpu
		case $kind in
		zeros | ones | error | starved) falls $cpu $kind quarantined 'Input/output error' ;;
		# The driver may find it first, or hwrngd by its own windows or as a repetition.
		biased) falls $cpu $kind quarantined 'Input/output error|SP 800-90B: adaptive proportion|it repeats' ;;
		repeated) falls $cpu $kind quarantined 'it repeats earlier output' ;;
		trickle) falls $cpu $kind suspect 'it took [0-9.]+ s to answer' ;;
		stalled) falls $cpu $kind quarantined 'stalled, no byte within 10 s' ;;
		short) bears $cpu $kind ;;
		esac
		heal
		stop
	done

	# Another hwrng replaces it, and then the first one comes back.
	configure '"virtio_rng.*"' 'prefer = ["cpu_rng.*", "tpm_rng.*"]' >/etc/hwrngd.conf
	check "the CPU and the FIFO are healthy" begin fifo $cpu
	falls $cpu error quarantined 'Input/output error'
	check "the TPM is selected instead" by_and_by current_is tpm_rng.0
	check "the TPM is healthy" by_and_by stepped tpm_rng.0 healthy
	heal
	stop

	# The module is unloaded by hand.
	check "the CPU and the FIFO are healthy" begin fifo $cpu
	goes $cpu rmmod cpu_rng
	is_left $cpu absent 'it is no longer there'
	check "the TPM is selected instead" by_and_by current_is tpm_rng.0
	check "the TPM is healthy" by_and_by stepped tpm_rng.0 healthy
	check "the module comes back" insmod /faults/cpu_rng.ko
	check "its source is selected again" by_and_by current_is $cpu

	# Another program writes to rng_current.
	echo virtio_rng.0 >"$hw_random/rng_current"
	check "the selection by another program is noticed" by_and_by is_selected virtio_rng.0
	# A probe of another source changes it for a moment, and then restores it.
	check "the selection is respected" by_and_by current_is virtio_rng.0
	reread '"virtio_rng.*"' 'prefer = ["cpu_rng.*", "tpm_rng.*"]' 'rng_current = "hold"'
	check "with hold the daemon selects its own source again" by_and_by current_is $cpu
	echo virtio_rng.0 >"$hw_random/rng_current"
	check "with hold the daemon does so each time" by_and_by current_is $cpu
	check "the source is read and healthy again" by_and_by current_serves
	reread '"virtio_rng.*"' 'prefer = ["cpu_rng.*", "tpm_rng.*"]' 'rng_current = "leave"'
	echo virtio_rng.0 >"$hw_random/rng_current"
	sleep 3
	check "with leave the selection is respected" by_and_by current_is virtio_rng.0
	check_match "the status gives this reason" 'rng_current = "leave"' "$(reason)"
	stop
}
current_serves() { [ "$(of $cpu '"\(.use) \(.state)"')" = "read healthy" ]; }
