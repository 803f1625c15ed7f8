# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="cpu_rng: RNDRRS and RNDR of arm64; the CPU's modalias loads the module (pitfall 8)"
arches=arm64 arches_why="instructions of arm64"

hw_random=/sys/class/misc/hw_random
available() { tr ' ' '\n' <$hw_random/rng_available | grep '^cpu_rng' | sort | tr '\n' ' '; }
quality() { case $1 in *rndrrs) echo 512 ;; *) echo 4 ;; esac; }

guest() {
	check "the CPU has FEAT_RNG" grep -qw rng /proc/cpuinfo
	check_equal "no source of ours is there before" "" "$(available)"
	check_match "the CPU's modalias names the module" 'cpu_rng' "$(modprobe -R "$(cat /sys/devices/system/cpu/modalias)")"
	rm -f /etc/modprobe.d/held-back.conf
	check "pitfall 8: the module links and loads" modprobe "$(cat /sys/devices/system/cpu/modalias)"
	# The headers of 5.10 have no RNDRRS.
	case $kernel in
	5.10) ours="cpu_rng.rndr " ;;
	*) ours="cpu_rng.rndr cpu_rng.rndrrs " ;;
	esac
	check_equal "the instructions are available" "$ours" "$(available)"
	for name in $ours; do
		check_match "the log shows the quality of $name" "cpu_rng: $name registered, quality $(quality "$name")\$" "$(dmesg)"
		echo "$name" >$hw_random/rng_current
		check_equal "$name can be selected" "$name" "$(cat $hw_random/rng_current)"
		check_equal "256 KiB can be read from $name" 262144 "$(dd if=/dev/hwrng bs=64k count=4 iflag=fullblock 2>/dev/null | wc -c)"
		dd if=/dev/hwrng of=/tmp/a bs=64 count=1 2>/dev/null
		dd if=/dev/hwrng of=/tmp/b bs=64 count=1 2>/dev/null
		check_fails "two reads of $name differ" 1 cmp -s /tmp/a /tmp/b
	done
	for bad in 0 1025 x; do
		check_fails "rndr_quality=$bad is refused" 1 sh -c "rmmod cpu_rng 2>/dev/null; modprobe cpu_rng rndr_quality=$bad"
	done
	check "the module loads again" modprobe cpu_rng
	check "the module unloads" rmmod cpu_rng
	check_equal "no source of ours stays" "" "$(available)"
}
