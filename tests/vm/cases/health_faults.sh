# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="health tests: how many bytes of a faulty source are served, and credited, until it is refused"
timeout=240
case $arch in
amd64)
	# QEMU 7 does not emulate RDSEED.
	qemu=8 instructions="rdrand rdseed"
	;;
arm64) instructions=rndr ;;
esac

hw_random=/sys/class/misc/hw_random

# get NAME: sets $value to the attribute of the source. It starts no process, because this takes long under TCG.
get() { read -r value <"$stats/$1"; }
read_rng() { dd if=/dev/hwrng of=/dev/null bs=64 "$@" 2>/dev/null; }
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
	# A read is 64 bytes at most. A fault that begins inside a window may be found in the next one.
	row "stuck byte" 64 "stick 511"
	row "biased byte, 1 of 4" 1088 "bias 128"
	row "stuck word" 64 "block 8"
	for size in 16 32 64; do
		row "block of $size bytes" $((64 + size)) "block $size"
	done
	for size in 12 20 128 512; do
		row "block of $size bytes" $((576 + size)) "block $size"
	done
	row "stuck bit" 1088 "lanes 0x400"
	row "56 of 64 bits stuck" 1088 "lanes 0xffffffffffffff00"
	row "upper half zero" 1088 "lanes 0xffffffff00000000"
	row "counter of bytes" 1088 "counter 1"
	row "counter of words" 1088 "counter 8"
	row "100 bad bytes after 4 KiB" 4160 "flap 4096"
	faults
	check "$source recovers" heal
}

guest() {
	check "the modules with faults load" eval 'insmod /faults/cpu_rng.ko && insmod /faults/tpm_rng.ko duplicate=1'
	for instruction in $instructions; do
		case $instruction in
		rdrand | rndr) table cpu_rng cpu_rng.$instruction 4 ;;
		*) table cpu_rng cpu_rng.$instruction 512 ;;
		esac
	done
	[ "$tpm" = none ] || table tpm_rng tpm_rng.0 512
	check "the modules unload" rmmod cpu_rng tpm_rng
}
