# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2154
description="cpu_rng: the statistics of a source under sysfs are as ABI.txt documents them"
programs=kmod/ABI.txt
tpm=none
source=$(cpu_source) block=$(hwrng_block)

hw_random=/sys/class/misc/hw_random
stats=/sys/module/cpu_rng/$source

promised() { sed -n 's,^What:.*/<source>/,,p' /usr/bin/ABI.txt | sort | tr '\n' ' '; }
# promised_parameters and parameters MODULE: without the name of an instruction.
promised_parameters() { sed -n "s,^What:.*/$1/parameters/,,p" /usr/bin/ABI.txt | sort | tr '\n' ' '; }
parameters() { modinfo -F parm "$1" | sed -E 's/:.*//; s/^[a-z]+_quality/<instruction>_quality/' | sort -u | tr '\n' ' '; }
stat() { cat "$stats"/"$1"; }

guest() {
	check "the module loads" modprobe cpu_rng
	check_equal "the attributes are those of ABI.txt" "$(promised)" "$(find "$stats" -type f | sed "s,.*/,," | sort | tr '\n' ' ')"
	check_equal "all attributes but the state are read-only" "$stats/state" "$(find "$stats" -type f ! -perm 444)"
	check_equal "root may write the state" 644 "$(busybox stat -c %a "$stats"/state)"
	check_fails "an ordinary user may not write the state" 2 as_user sh -c "echo start-up >$stats/state"
	check_fails "any other word is refused" 1 eval 'echo healthy | dd of="$stats"/state'
	check_match "it is refused with EINVAL" 'Invalid argument' "$(cat "$output")"
	for module in cpu_rng tpm_rng; do
		check_equal "the parameters of $module are those of ABI.txt" "$(promised_parameters $module)" "$(parameters $module)"
	done
	check "an ordinary user may read the attributes" as_user cat "$stats"/state "$stats"/reads
	check_equal "the state is healthy" healthy "$(stat state)"
	for name in errors retries repetition_failures proportion_failures word_failures stuck_bit_failures recent_failures; do
		check_equal "the number of $name is 0" 0 "$(stat $name)"
	done

	echo "$source" >$hw_random/rng_current
	reads=$(stat reads) bytes=$(stat bytes)
	dd if=/dev/hwrng of=/dev/null bs=$block count=1024 2>/dev/null
	reads=$(($(stat reads) - reads)) bytes=$(($(stat bytes) - bytes))
	# Up to a block was left over from before, and khwrngd reads too.
	check "1024 blocks need at least 1023 reads" test $reads -ge 1023 -a $reads -lt 1100
	# khwrngd may have read between the two files.
	check "each read returned $block bytes" test $((bytes / block)) -ge 1023 -a $((bytes / block)) -le $((reads + 2))
	mean=$(stat latency_mean_us) worst=$(stat latency_worst_us)
	check "the mean latency is above 0: $mean us" test "$mean" -gt 0
	check "the worst latency is not below the mean: $worst us" test "$worst" -ge "$mean"

	# A reader that has an attribute open must not reach freed memory after the source is removed.
	exec 5<"$stats"/reads
	check "the module unloads while an attribute is open" timeout 10 rmmod cpu_rng
	check_fails "a read of that attribute fails" 1 cat <&5
	check_match "it fails with ENODEV" 'No such device' "$(cat "$output")"
	exec 5<&-
	check "the folder of the source is gone" test ! -d "$stats"
	while :; do cat "$stats"/*; done >/dev/null 2>&1 &
	first=$!
	while :; do cat "$stats"/*; done >/dev/null 2>&1 &
	for round in $(seq 20); do
		modprobe cpu_rng || break
		rmmod cpu_rng || break
	done >/tmp/rounds 2>&1
	kill $first $!
	check_equal "20 rounds of load and unload succeed with two readers of all attributes" "20 " "$round $(cat /tmp/rounds)"
}
