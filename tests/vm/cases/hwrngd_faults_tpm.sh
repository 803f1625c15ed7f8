# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2086,SC2154
description="hwrngd: each fault of a TPM, read by hwrngd itself and through our module, beside a healthy FIFO"
programs="build/hwrngd build/hwrngctl /usr/bin/jq /usr/bin/perl tests/vm/faulty"
flavours="cloud generic" flavours_why="the daemon has not been tested on the debug kernel yet"
rng=none
cpu=max,-rdrand,-rdseed
long=1
timeout=600

# ask SOURCE KIND: makes the TPM with the number of this source return this kind of bytes.
ask() { echo "$2" >"/tmp/kind${1##*[!0-9]}"; }

# plug_faulty N: starts a TPM that can fail. The kernel gives it the lowest free number.
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

# configure DENIED...: prints a configuration.
configure() {
	printf '%s\n' 'reseed_interval = 0.5' 'feed_bytes = 1024' "deny = [\"jitter\", \"tpmrm0\", $1]" \
		'[source.fifo]' 'path = "/tmp/fifo"' 'credit = 1024'
}

# was_read_for SECONDS SOURCE: succeeds if reads of the source took longer in total.
was_read_for() { [ "$(of "$2" ".latency.sum > $1")" = true ]; }
none_left() { [ "$(hwrngctl -o json status | jq -r '.daemon.sources[] | select(.name != "fifo") | .state' | sort -u)" = absent ]; }

guest() {
	mkdir -p /etc
	check "the TPM proxy loads" modprobe tpm_vtpm_proxy
	well=fifo givers=
	mkfifo /tmp/fifo
	faulty /tmp/kind fifo /tmp/fifo &

	# Read by hwrngd itself.
	configure '"tpm_rng.*"' >/etc/hwrngd.conf
	check "the FIFO is healthy" begin fifo
	number=0
	for kind in zeros ones biased repeated error trickle stalled short; do
		number=$((number + 1))
		tpm=tpmrm$number
		plug_faulty $number
		check "$tpm: a TPM appears and is healthy" by_and_by stepped $tpm healthy
		case $kind in
		zeros | ones) falls $tpm $kind quarantined 'SP 800-90B: repetition count' ;;
		biased) falls $tpm $kind quarantined 'FIPS 140-2: .* blocks failed' ;;
		repeated) falls $tpm $kind quarantined 'it repeats earlier output' ;;
		error | stalled) falls $tpm $kind quarantined 'GetRandom' ;;
		trickle)
			check "$tpm: its rate is known" by_and_by was_read_for 2.5 $tpm
			# On a busy machine an answer after 0.7 s may take 2 s.
			falls $tpm $kind suspect 'its rate fell from [0-9]+ to [0-9]+ bytes/s|it took [0-9.]+ s to answer'
			;;
		short) bears $tpm $kind ;;
		esac
		# Zeros, so that no biased TPM passes later by chance, and no trickling one after some time.
		[ $kind = short ] || ask $tpm zeros
	done
	goes $tpm unplug_last
	is_left $tpm absent 'it is no longer there'
	unplug_all
	check "all TPMs are absent" by_and_by none_left
	stop

	# Through tpm_rng, which has its own tests.
	configure '"tpmrm*", "tpm_rng.0"' >/etc/hwrngd.conf
	check "the FIFO is healthy" begin fifo
	number=0
	for kind in zeros ones biased repeated error stalled short; do
		number=$((number + 1))
		tpm=tpm_rng.$number
		plug_faulty $number
		configure "\"tpmrm*\", \"tpm_rng.[!$number]\"" >/etc/hwrngd.conf
		kill -HUP "$daemon"
		check "$tpm: a TPM appears and is healthy" by_and_by stepped $tpm healthy
		case $kind in
		zeros | ones | error | stalled) falls $tpm $kind quarantined 'Input/output error' ;;
		biased) falls $tpm $kind quarantined 'FIPS 140-2: .* blocks failed' ;;
		repeated) falls $tpm $kind quarantined 'it repeats earlier output' ;;
		short) bears $tpm $kind ;;
		esac
	done
	goes $tpm unplug_last
	is_left $tpm absent 'it is no longer there'
	plug_faulty $number
	check "$tpm comes back" by_and_by healthy_again $tpm
	check "tpm_rng is unloaded by hand" rmmod tpm_rng
	check "all TPMs are absent" by_and_by none_left
	stop
}
