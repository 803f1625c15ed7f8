# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl check scs: a guest that fails each item of the standard that a guest can fail"
programs="build/hwrngctl /usr/bin/jq"
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel: the oldest and the newest"
rng=none
tpm=none
cpu=max,-rdrand,-rdseed
cmdline="random.trust_cpu=off random.trust_bootloader=off"

# verdicts CODE NAME OPTION...: "ITEM VERDICT, ...".
verdicts() {
	code=$1 what=$2
	shift 2
	check_fails "$what" "$code" hwrngctl -o json check scs "$@"
	document=$(cat "$output")
	found=$(printf '%s' "$document" | jq -r '.items | map("\(.id) \(.verdict)") | join(", ")')
}
of() { printf '%s' "$document" | jq -r ".items[] | select(.id == \"$1\") | .found"; }

guest() {
	if [ "$(cat /proc/sys/kernel/random/entropy_avail)" = 256 ]; then
		skip "entropy_avail below 256 is an error" "the kernel was ready by itself already"
	else
		# Who reads /dev/random has the kernel collect the timer's jitter.
		verdicts 1 "a CRNG that is not ready fails"
		check_equal "by entropy_avail" "entropy_avail error, fips ok, kernel ok, cpu warning" "$found"
		check_match "as it was" '^[0-9]+ of 256 bits$' "$(of entropy_avail)"
	fi
	verdicts 0 "once it is ready, it passes"
	check_equal "but for the CPU, whose instructions are hidden" "entropy_avail ok, fips ok, kernel ok, cpu warning" "$found"
	check_equal "all of them" "none of them" "$(of cpu)"
	verdicts 1 "v1 asks for rngd" --profile v1
	check_equal "that does not run" "rngd error, entropy_avail ok, fips ok, kernel ok, cpu warning" "$found"

	check "zeros take the place of /dev/random" mount --bind /dev/zero /dev/random
	verdicts 1 "which fails"
	check_equal "by FIPS 140-2" "entropy_avail ok, fips error, kernel ok, cpu warning" "$found"
	check_equal "after a second try" "1000 of 1000, and tested again 1000 of 1000" "$(of fips)"
	check "it is itself again" umount /dev/random
	check "and passes, for people" hwrngctl check scs
	check_match "in a table" '^\| no more than 5 of 1000 blocks of /dev/random fail FIPS 140-2 .*\| ok ' "$(cat "$output")"
}
