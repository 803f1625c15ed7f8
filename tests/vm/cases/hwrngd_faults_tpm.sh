# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2086,SC2154
description="hwrngd: each fault of a TPM, read by hwrngd itself and through our module, while a FIFO serves"
programs="build/hwrngd build/hwrngctl /usr/bin/jq /usr/bin/perl tests/vm/faulty"
flavours="cloud generic" flavours_why="the daemon was not tried on the debug kernel yet"
rng=none
cpu=max,-rdrand,-rdseed
long=1
timeout=600

# ask SOURCE KIND: the TPM of that number.
ask() { echo "$2" >"/tmp/kind${1##*[!0-9]}"; }

# plug_faulty N: a TPM that may fall ill; it gets the least number that is free.
plug_faulty() {
	echo random >"/tmp/kind$1"
	faulty "/tmp/kind$1" tpm &
	givers="$givers $!"
}

unplug_last() {
	kill ${givers##* }
	givers=${givers% *}
}
unplug_all() {
	kill $givers
	givers=
}

# configure DENIED...
configure() {
	printf '%s\n' 'reseed_interval = 0.5' 'feed_bytes = 1024' "deny = [\"jitter\", \"tpmrm0\", $1]" \
		'[source.fifo]' 'path = "/tmp/fifo"' 'credit = 1024'
}

# was_read_for SECONDS SOURCE
was_read_for() { [ "$(of "$2" ".latency.sum > $1")" = true ]; }
none_left() { [ "$(hwrngctl -o json status | jq -r '.daemon.sources[] | select(.name != "fifo") | .state' | sort -u)" = absent ]; }

guest() {
	mkdir -p /etc
	check "the proxy of TPMs loads" modprobe tpm_vtpm_proxy
	well=fifo givers=
	mkfifo /tmp/fifo
	faulty /tmp/kind fifo /tmp/fifo &

	# Read by hwrngd.
	configure '"tpm_rng.*"' >/etc/hwrngd.conf
	check "the FIFO serves" begin fifo
	number=0
	for kind in zeros ones biased repeated error trickle stalled short; do
		number=$((number + 1))
		tpm=tpmrm$number
		plug_faulty $number
		check "$tpm: a TPM appears" by_and_by stepped $tpm healthy
		case $kind in
		zeros | ones) falls $tpm $kind quarantined 'SP 800-90B: repetition count' ;;
		biased) falls $tpm $kind quarantined 'FIPS 140-2: .* blocks failed' ;;
		repeated) falls $tpm $kind quarantined 'it repeats what it gave before' ;;
		error | stalled) falls $tpm $kind quarantined 'GetRandom' ;;
		trickle)
			check "its rate is known" by_and_by was_read_for 2.5 $tpm
			# On a busy machine 0.7 s may become 2.
			falls $tpm $kind suspect 'it gives [0-9]+ bytes/s, and gave|it took [0-9.]+ s to answer'
			;;
		short) bears $tpm $kind ;;
		esac
		# Lest a biased one passes by chance, or one that trickles at last.
		[ $kind = short ] || ask $tpm zeros
	done
	goes $tpm unplug_last
	is_left $tpm absent 'it is no longer there'
	unplug_all
	check "none is left" by_and_by none_left
	stop

	# Through tpm_rng, which has tests of its own.
	configure '"tpmrm*", "tpm_rng.0"' >/etc/hwrngd.conf
	check "the FIFO serves" begin fifo
	number=0
	for kind in zeros ones biased repeated error stalled short; do
		number=$((number + 1))
		tpm=tpm_rng.$number
		plug_faulty $number
		configure "\"tpmrm*\", \"tpm_rng.[!$number]\"" >/etc/hwrngd.conf
		kill -HUP "$daemon"
		check "$tpm: a TPM appears" by_and_by stepped $tpm healthy
		case $kind in
		zeros | ones | error | stalled) falls $tpm $kind quarantined 'Input/output error' ;;
		biased) falls $tpm $kind quarantined 'FIPS 140-2: .* blocks failed' ;;
		repeated) falls $tpm $kind quarantined 'it repeats what it gave before' ;;
		short) bears $tpm $kind ;;
		esac
	done
	goes $tpm unplug_last
	is_left $tpm absent 'it is no longer there'
	plug_faulty $number
	check "it comes back" by_and_by healthy_again $tpm
	check "tpm_rng is unloaded by hand" rmmod tpm_rng
	check "none is left" by_and_by none_left
	stop
}
