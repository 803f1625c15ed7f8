# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2086,SC2154
description="hwrngd: each fault of a FIFO and of a virtio-rng, one after another, beside a healthy source"
programs="build/hwrngd build/hwrngctl /usr/bin/jq /usr/bin/perl tests/vm/faulty"
flavours="cloud generic" flavours_why="the daemon has not been tested on the debug kernel yet"
rng="file"
tpm=none
cpu=max,-rdrand,-rdseed
long=1
timeout=600

# In the order of the devices: virtio_rng.1 is for zeros. The stalled one is last, because up to 6.1 a
# switch to another source would hang.
kinds="zeros ones biased repeated trickle short stalled"

before() {
	mkfifo "$rng_file"
	for kind in $kinds; do
		mkfifo "$tmp/$kind"
		qemu_options="$qemu_options -object rng-random,id=$kind,filename=$tmp/$kind -device virtio-rng-pci,rng=$kind"
	done
}
during() {
	"$tests/faulty" "$tmp/kind" fifo "$rng_file" &
	for kind in $kinds; do
		"$tests/faulty" "$tmp/$kind.kind" fifo "$tmp/$kind" &
	done
	while sleep 0.2; do
		sed -nE 's/.*device for ([a-z]+): ([a-z]+).*/\1 \2/p' "$console_log" |
			awk '{ kind[$1] = $2 } END { for (which in kind) print which, kind[which] }' |
			while read -r which kind; do echo "$kind" >"$tmp/$which.kind"; done || continue
	done
}

# ask SOURCE KIND: makes the source return this kind of bytes.
ask() {
	case $1 in
	virtio_rng.*) echo "device for $device: $2" >/dev/console ;;
	*) echo "$2" >"/tmp/$1.kind" ;;
	esac
}
look() { echo add >"$hw_random/uevent"; }

# configure DENIED SOURCE...: prints a configuration.
configure() {
	printf '%s\n' 'reseed_interval = 0.5' 'feed_bytes = 2048' "deny = [\"jitter\", \"$1\"]"
	shift
	for source; do
		credit=512
		[ "$source" != "$well" ] || credit=1024
		printf '%s\n' "[source.\"$source\"]" "credit = $credit"
		case $source in
		virtio_rng.*) ;;
		*) echo "path = \"/tmp/$source\"" ;;
		esac
	done
}

plug_fifo() {
	echo random >"/tmp/$1.kind"
	mkfifo "/tmp/$1"
	faulty "/tmp/$1.kind" fifo "/tmp/$1" &
	giver=$!
	look
}
unplug_fifo() {
	rm "/tmp/$1"
	kill $giver
	look
}

# fault SOURCE KIND: checks one of the faults that both kinds of sources have.
fault() {
	case $2 in
	zeros | ones) falls "$1" "$2" quarantined 'SP 800-90B: repetition count' ;;
	biased) falls "$1" "$2" quarantined 'FIPS 140-2: .* blocks failed' ;;
	repeated) falls "$1" "$2" quarantined 'it repeats earlier output' ;;
	trickle)
		falls "$1" "$2" suspect 'it took [0-9.]+ s to answer'
		ask "$1" random
		check "$1 becomes healthy again" by_and_by healthy_again "$1"
		;;
	short) bears "$1" "$2" ;;
	stalled) falls "$1" "$2" quarantined 'stalled, no byte within 10 s' ;;
	esac
}
nothing_left() { [ "$(hwrngctl -o json status | jq -r '.daemon.sources[].state' | sort -u)" = absent ]; }

guest() {
	mkdir -p /etc
	bind=/sys/bus/virtio/drivers/virtio_rng
	well=virtio_rng.0
	fifos=$(printf 'fifo-%s ' $kinds)
	configure 'virtio_rng.[!0]' $well $fifos >/etc/hwrngd.conf
	check "$well is healthy" begin $well
	for kind in $kinds; do
		fifo=fifo-$kind
		plug_fifo $fifo
		check "$fifo becomes healthy" by_and_by stepped $fifo healthy
		fault $fifo $kind
		goes $fifo unplug_fifo $fifo
		[ $kind != short ] || is_left $fifo absent 'it is no longer there'
	done

	numbers="0 1 2 3 4 5 6 7"
	for i in $numbers; do echo "virtio$i" >$bind/unbind; done
	check "all sources are absent" by_and_by nothing_left
	check_equal "status says that there is no hwrng" "there is no hwrng" "$(hwrngctl -o json status | jq -r .daemon.rng_reason)"
	fed=$(fed)
	sleep 2
	check_equal "the pool is not fed" "$fed" "$(fed)"
	check "the daemon still runs" kill -0 "$daemon"
	for i in $numbers; do echo "virtio$i" >$bind/bind; done
	check "with all sources back, the pool is fed" more_fed
	plug_fifo $fifo
	check "the FIFO is healthy again" by_and_by healthy_again $fifo
	unplug_fifo $fifo
	stop

	well=fifo
	configure 'virtio_rng.*' fifo >/etc/hwrngd.conf
	plug_fifo fifo
	check "the FIFO is healthy" begin fifo
	i=0
	for device in $kinds; do
		i=$((i + 1))
		hwrng=virtio_rng.$i
		configure "virtio_rng.[!$i]" fifo $hwrng >/etc/hwrngd.conf
		kill -HUP "$daemon"
		check "$hwrng is read" by_and_by stepped $hwrng healthy
		fault $hwrng $device
		[ $device = short ] || continue
		# While bytes trickle in, a read is always in progress. If virtio_rng is unbound then, it may
		# wait for ever for a request that it has not made.
		ask $hwrng random
		sleep 2 # until the host has noticed
		goes $hwrng sh -c "echo virtio$i >$bind/unbind"
		is_left $hwrng absent 'it is no longer there'
		echo virtio$i >$bind/bind
		check "$hwrng comes back" by_and_by healthy_again $hwrng
	done
	ask $hwrng random
	check "the stalled $hwrng comes back" by_and_by healthy_again $hwrng
	stop
}
