# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2154
description="health tests: how many bytes of a faulty source are served, and credited, until it is refused"
timeout=240
# QEMU 7 does not emulate RDSEED, and Debian has no driver for a TPM of riscv64.
[ "$arch" != amd64 ] || qemu=8
[ "$arch" != riscv64 ] || tpm=none
block=$(hwrng_block)

hw_random=/sys/class/misc/hw_random

# get NAME: sets $value to the attribute of the source. It starts no process, because this takes long under TCG.
get() { read -r value <"$stats/$1"; }
read_rng() { dd if=/dev/hwrng of=/dev/null bs=$block "$@" 2>/dev/null; }
# faults NAME VALUE...: switches these on, and all others off.
faults() {
	for fault in stick bias flap block lanes counter; do
		echo 0 >$parameters/fault_$fault
	done
	while [ $# -ge 2 ]; do
		echo "$2" >$parameters/fault_"$1"
		shift 2
	done
}
await() {
	for i in $(seq 400); do
		"$@" >/dev/null 2>&1 && return
		usleep 50000
	done
	false
}
# heal: the reads of one process are the start-up test of a TPM, step by step.
heal() {
	echo start-up >"$stats"/state
	read_rng count=40 conv=noerror
	await read_rng count=1 && get state && [ "$value" = healthy ]
}

# row FAULT LIMIT SETTINGS: the source must be refused after at most LIMIT bytes.
row() {
	faults
	if ! heal; then
		check_equal "$source: it is healthy before: $1" healthy "$value"
		return
	fi
	get bytes
	before=$value
	faults $3
	read_rng count=4096
	get bytes
	served=$((value - before))
	get state
	state=$value
	read_rng count=2
	get bytes
	later=$((value - before - served))
	tell "$(printf '%-16s %-24s refused after %4d bytes, %5d bits credited; later %d bits' "$source" "$1" $served $((served * 8 * quality / 1024)) $((later * 8 * quality / 1024)))"
	check "$source: $1: it is refused within $2 bytes ($served)" test $served -le "$2"
	check_equal "$source: $1: its state is failed" failed "$state"
	check_equal "$source: $1: nothing is served or credited afterwards" 0 $later
}

table() {
	stats=/sys/module/$1/$2 parameters=/sys/module/$1/parameters source=$2 quality=$3
	check "$source can be tested" await test -e "$stats"/state
	check "$source is registered" await grep -qw "$source" $hw_random/rng_available
	echo "$source" >$hw_random/rng_current
	echo 171 >$parameters/fault_value
	# A fault that begins inside a window may be found in the next one.
	late=$((1024 + block))
	row "stuck byte" $block "stick 511"
	row "biased byte, 1 of 4" $late "bias 128"
	row "stuck word" $block "block 8"
	for size in 16 32 64; do
		row "block of $size bytes" $((block + size)) "block $size"
	done
	for size in 12 20 128 512; do
		row "block of $size bytes" $((512 + block + size)) "block $size"
	done
	row "stuck bit" $late "lanes 0x400"
	row "56 of 64 bits stuck" $late "lanes 0xffffffffffffff00"
	row "upper half zero" $late "lanes 0xffffffff00000000"
	row "counter of bytes" $late "counter 1"
	row "counter of words" $late "counter 8"
	if [ "$1-$block" = cpu_rng-128 ]; then
		skip "$source: 100 bad bytes after 4 KiB" "one read takes all of them, so that the next one may pass the start-up test"
	else
		row "100 bad bytes after 4 KiB" $((4096 + block)) "flap 4096"
	fi
	faults
	check "$source recovers" heal
}

guest() {
	check "cpu_rng with faults loads" insmod /faults/cpu_rng.ko
	[ "${tpm:-}" = none ] || check "tpm_rng with faults loads" insmod /faults/tpm_rng.ko duplicate=1
	for name in $(cpu_sources); do
		table cpu_rng "$name" "$(cpu_quality "$name")"
	done
	[ "${tpm:-}" = none ] || table tpm_rng tpm_rng.0 512
	check "cpu_rng unloads" rmmod cpu_rng
	[ "${tpm:-}" = none ] || check "tpm_rng unloads" rmmod tpm_rng
}
