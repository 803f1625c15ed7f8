# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: RDSEED and RDRAND, as hwrngs and from user space"
programs="build/hwrngctl /usr/bin/jq"
qemu=8

hw_random=/sys/class/misc/hw_random

ours() { tr ' ' '\n' <$hw_random/rng_available | grep '^cpu_rng' | sort | tr '\n' ' '; }

guest() {
	before=$(cat $hw_random/rng_current)
	check_equal "no source of ours is there before" "" "$(ours)"
	check "load cpu" hwrngctl load cpu
	check_equal "both instructions are available" "cpu_rng.rdrand cpu_rng.rdseed " "$(ours)"
	for name in rdseed rdrand; do
		check "select cpu_rng.$name" hwrngctl select cpu_rng.$name
		check_equal "cpu_rng.$name is current" cpu_rng.$name "$(cat $hw_random/rng_current)"
		check "test --source cpu_rng.$name" hwrngctl test --source cpu_rng.$name --blocks 4
	done
	check "select auto" hwrngctl select auto
	for pair in cpu_rng.rdseed=5000 cpu_rng.rdrand=39 rdseed=5000 rdrand=39; do
		name=${pair%=*}
		trace_ioctl hwrngctl -o json feed --once --source "$name" >/tmp/fed 2>/tmp/said
		check_equal "feed from $name credits ${pair#*=} bits" "${pair#*=}" "$(jq .credited_bits </tmp/fed)"
		check_equal "the kernel was told this credit" 1 "$(grep -c "RNDADDENTROPY, {entropy_count=${pair#*=}, .*= 0\$" "$ioctl_trace")"
	done
	check_equal "the previous source is restored" "$before" "$(cat $hw_random/rng_current)"
	check_equal "the restored source counts as the kernel's choice" 0 "$(cat $hw_random/rng_selected)"
	mkdir -p /etc/modules-load.d
	check "load cpu --persist" hwrngctl load cpu --persist
	check_match "it names the file" 'cpu_rng: already loaded: /etc/modules-load\.d/hwrngd-cpu_rng\.conf loads it at every boot' "$(cat "$output")"
	check_equal "the file has the module" cpu_rng "$(grep -v '^#' /etc/modules-load.d/hwrngd-cpu_rng.conf)"
	check "unload cpu --persist" hwrngctl unload cpu --persist
	check_match "it names the file" 'cpu_rng: unloaded: removed /etc/modules-load\.d/hwrngd-cpu_rng\.conf' "$(cat "$output")"
	check_fails "the file is gone" 1 test -e /etc/modules-load.d/hwrngd-cpu_rng.conf
	check_equal "no source of ours is left" "" "$(ours)"
	check "load cpu" hwrngctl load cpu
	check "unload cpu" hwrngctl unload cpu
	check_equal "no source of ours is left" "" "$(ours)"

	file=$(modinfo -n tpm_rng)
	head -c 1000 "$file" >/tmp/half && cp /tmp/half "$file"
	check_fails "load fails if one of the two files is broken" 5 hwrngctl load
	check_match "load says which file is broken" 'tpm_rng: not loaded: .*built for another kernel' "$(cat "$output")"
	check_match "load loads the other module" 'cpu_rng: loaded' "$(cat "$output")"
	check_equal "the sources of the other module are available" "cpu_rng.rdrand cpu_rng.rdseed " "$(ours)"
	check "unload" hwrngctl unload
}
