# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl check scs: a guest that fails each item of the standard, as far as a guest can"
programs="build/hwrngctl /usr/bin/jq"
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel; so only the oldest and the newest"
rng=none
tpm=none
cpu=max,-rdrand,-rdseed
cmdline="random.trust_cpu=off random.trust_bootloader=off"

# verdicts CODE NAME OPTION...: checks the exit code, and sets $found to "ITEM VERDICT, ...".
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
		skip "entropy_avail below 256 is an error" "the kernel already made the CRNG ready by itself"
	else
		# A read of /dev/random makes the kernel collect the timer's jitter.
		verdicts 1 "check scs fails while the CRNG is not ready"
		check_equal "the item that fails is entropy_avail" "entropy_avail error, fips ok, kernel ok, cpu warning" "$found"
		check_match "the finding has the value of entropy_avail" '^[0-9]+ of 256 bits$' "$(of entropy_avail)"
	fi
	verdicts 0 "check scs passes once the CRNG is ready"
	check_equal "only the CPU has a warning, because its instructions are hidden" "entropy_avail ok, fips ok, kernel ok, cpu warning" "$found"
	check_equal "the finding says that no instruction is there" "none of them" "$(of cpu)"
	verdicts 1 "profile v1 fails, because it requires rngd" --profile v1
	check_equal "the item that fails is rngd" "rngd error, entropy_avail ok, fips ok, kernel ok, cpu warning" "$found"

	check "/dev/random is replaced by zeros" mount --bind /dev/zero /dev/random
	verdicts 1 "check scs fails with zeros"
	check_equal "the item that fails is FIPS 140-2" "entropy_avail ok, fips error, kernel ok, cpu warning" "$found"
	check_equal "the finding has the result of a second try" "1000 of 1000; tested again: 1000 of 1000" "$(of fips)"
	check "/dev/random is restored" umount /dev/random
	check "check scs passes again, without JSON" hwrngctl check scs
	check_match "the output is a table" '^\| no more than 5 of 1000 blocks of /dev/random fail FIPS 140-2 .*\| ok ' "$(cat "$output")"
}
