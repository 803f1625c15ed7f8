# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng: each instruction of arm64, ppc64el and riscv64 becomes a source"
arches="arm64 ppc64el riscv64" arches_why="cpu_rng_rdseed is the case for amd64"
tpm=none

hw_random=/sys/class/misc/hw_random
available() { tr ' ' '\n' <$hw_random/rng_available | grep '^cpu_rng' | sort | tr '\n' ' '; }
stat() { cat /sys/module/cpu_rng/"$name/$1"; }
count_bytes() { dd if=/dev/hwrng "$@" 2>/dev/null | wc -c; }

guest() {
	case $arch in
	arm64) cpuinfo='^Features.* rng( |$)' ;;
	ppc64el) cpuinfo='^cpu.*POWER9' ;;
	riscv64) cpuinfo='^isa.*_zkr' ;;
	esac
	ours=$(cpu_sources)
	check_match "the CPU has the instruction" "$cpuinfo" "$(cat /proc/cpuinfo)"
	check_equal "no alias loads the module by itself" "" "$(modinfo -F alias cpu_rng)"
	check_equal "no source of ours is there before" "" "$(available)"
	check "pitfall 8: the module links and loads" modprobe cpu_rng
	check_equal "the instructions are available" "$ours " "$(available)"
	for name in $ours; do
		check_match "the log shows the quality of $name" "cpu_rng: $name registered, quality $(cpu_quality "$name")\$" "$(dmesg)"
		echo "$name" >$hw_random/rng_current
		check_equal "$name can be selected" "$name" "$(cat $hw_random/rng_current)"
		bytes=$(stat bytes)
		check_equal "1 MiB can be read from $name" 1048576 "$(count_bytes bs=64k count=16 iflag=fullblock)"
		# Up to 63 bytes were left over from another source.
		check "the bytes came from $name" test $(($(stat bytes) - bytes)) -ge $((1048576 - 63))
		dd if=/dev/hwrng of=/tmp/bytes bs=64 count=1024 iflag=fullblock 2>/dev/null
		check_equal "1024 blocks of 64 bytes from $name differ" 1024 "$(od -An -v -tx1 -w64 /tmp/bytes | sort -u | wc -l)"
		check_equal "$name is healthy" healthy "$(stat state)"
		check_equal "$name has no failures and no errors" "" "$(grep -vx 0 /sys/module/cpu_rng/"$name"/*_failures /sys/module/cpu_rng/"$name"/errors)"
		tell "$name: $(stat retries) retries in $(stat reads) reads"
	done
	check "the module unloads" rmmod cpu_rng
	check_equal "no source of ours stays" "" "$(available)"

	for name in $ours; do
		for bad in 0 513 x; do
			check_fails "${name#*.}_quality=$bad is refused" 1 modprobe cpu_rng "${name#*.}_quality=$bad"
		done
	done
	check "the module loads again" modprobe cpu_rng
	check "the module unloads again" rmmod cpu_rng
}
