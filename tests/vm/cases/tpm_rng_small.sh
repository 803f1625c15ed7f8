# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2154
description="tpm_rng: a read is one command, even of a TPM that returns few bytes for a command"
programs="/usr/bin/perl tests/vm/faulty"

hw_random=/sys/class/misc/hw_random

select_rng() {
	echo "$1" >$hw_random/rng_current
	[ "$(cat $hw_random/rng_current)" = "$1" ] && dd if=/dev/hwrng of=/dev/null bs=64 count=2
}
# count FILE: prints its number of lines.
count() { wc -l <"$1"; }

# small N COMMANDS: a TPM that returns at most N bytes for a command needs so many commands for a read.
# Each has the number 1, because the one before is unplugged.
small() {
	name=tpm_rng.1 stats=/sys/module/tpm_rng/tpm_rng.1 asked=/tmp/kind$1.asked
	echo "most-$1" >"/tmp/kind$1"
	faulty "/tmp/kind$1" tpm >/dev/null &
	giver=$!
	check "a TPM that returns $1 bytes at most is served" await_rng $name
	check "$1 bytes: it can be selected" select_rng $name
	commands=$(count "$asked") reads=$(cat $stats/reads)
	dd if=/dev/hwrng of=/dev/null bs="$1" count=100 2>/dev/null
	commands=$(($(count "$asked") - commands)) reads=$(($(cat $stats/reads) - reads))
	# khwrngd may be inside a read at the beginning or at the end.
	check "$1 bytes: a read takes $2 commands ($reads reads, $commands commands)" test $((commands - reads * $2)) -ge -2 -a $((commands - reads * $2)) -le 2
	check_equal "$1 bytes: the source is healthy" healthy "$(cat $stats/state)"
	kill $giver
	wait $giver
	for i in $(seq 400); do
		[ -e $stats ] || break
		usleep 50000
	done
	check_fails "$1 bytes: the source of the unplugged TPM is gone" 1 test -e $stats
}

guest() {
	check "the TPM proxy loads" modprobe tpm_vtpm_proxy
	check "the module loads" modprobe tpm_rng duplicate=1
	small 32 1
	small 20 2
	small 1 1
	check "the module unloads" rmmod tpm_rng
}
