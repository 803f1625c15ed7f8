# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="tpm_rng: a TPM that hangs for 5 of every 10 s delays only its own readers"
programs=/usr/bin/swtpm
timeout=240

hw_random=/sys/class/misc/hw_random
stats=/sys/module/tpm_rng/tpm_rng.1

await_tpm() {
	for i in $(seq 200); do
		! grep -qw tpm_rng.1 $hw_random/rng_available || return 0
		usleep 50000
	done
	false
}

stutter() {
	while sleep 5; do
		kill -STOP "$swtpm"
		sleep 5
		kill -CONT "$swtpm"
	done
}

# now: sets $now to the hundredths of a second since the boot.
now() {
	read -r now _ </proc/uptime
	now=${now%.*}${now#*.}
}

# longest SECONDS COMMAND...: runs it again and again for this time. Sets $times, $failures, and $longest to
# the longest time that it took, in hundredths of a second.
longest() {
	now
	end=$((now + $1 * 100)) times=0 failures=0 longest=0
	shift
	while now; [ "$now" -lt $end ]; do
		begin=$now
		"$@" >/dev/null 2>&1 || failures=$((failures + 1))
		now
		times=$((times + 1))
		[ $((now - begin)) -le $longest ] || longest=$((now - begin))
	done
}

# quick NAME: checks that $longest is well below the 2 s after which a TPM command times out.
quick() {
	tell "$1: $times times, $failures failed, longest $longest hundredths of a second"
	check "$1: never fails" test "$failures" -eq 0
	check "$1: never waits for the TPM" test "$longest" -lt "$limit"
}

read_rng() { dd if=/dev/hwrng of=/dev/null bs=64 count=1; }
read_sysfs() { cat $hw_random/rng_current $hw_random/rng_available $stats/state $stats/bytes; }
cycle_cpu_rng() { rmmod cpu_rng && modprobe cpu_rng; }
select_rng() {
	echo "$1" >$hw_random/rng_current
	[ "$(cat $hw_random/rng_current)" = "$1" ]
}

guest() {
	limit=150
	[ "$flavour" != debug ] || limit=600
	check "the modules load" modprobe -a tpm_vtpm_proxy cpu_rng
	check "tpm_rng loads" modprobe tpm_rng duplicate=1
	# Use a TPM inside the guest, because QEMU itself would wait for a stopped TPM.
	plug_in 1
	check "a plugged TPM appears" await_tpm
	check "the TPM is selected" select_rng tpm_rng.1
	stutter &
	stutterer=$!
	while sleep 0.1; do read_rng; done >/dev/null 2>&1 &
	reader=$!

	longest 12 read_sysfs
	quick "reading sysfs while the TPM is being read"
	longest 12 cycle_cpu_rng
	quick "unloading and loading cpu_rng while the TPM is being read"
	kill $reader

	# The TPM's last reader may still be inside its command.
	now
	begin=$now
	check "cpu_rng is selected" select_rng "$(cpu_source)"
	check "cpu_rng serves" read_rng
	now
	tell "selecting and reading cpu_rng took $((now - begin)) hundredths of a second"
	check "selecting cpu_rng waits for at most one TPM command" test "$((now - begin))" -lt "$((limit + 200))"
	longest 12 read_rng
	quick "reading cpu_rng"

	kill $stutterer
	wait $stutterer
	kill -CONT "$swtpm"
	check "the TPM can be selected again" select_rng tpm_rng.1
	# It failed so often that it is not read for some seconds.
	for i in $(seq 140); do
		read_rng 2>/dev/null && break
		sleep 0.5
	done
	check "the TPM serves again" read_rng
	check_equal "the TPM is healthy" healthy "$(cat $stats/state)"
	diag "$(grep . $stats/* | tr '\n' ' ')"
	check "the modules unload" timeout 10 rmmod tpm_rng cpu_rng
}
