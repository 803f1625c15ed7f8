# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a guest without any hardware for randomness, and rngd in it"
like=doctor
rng=none
tpm=none
cpu=max,-rdrand,-rdseed

before() { with_daemons rngd; }
guest() {
	# What the kernel gathers by itself may do at any moment.
	if [ "$(first)" = crng-not-ready ]; then
		check "question 12: nothing has made the CRNG ready; following it" follow
		check_match "it is" 'crng init done' "$(dmesg)"
	fi
	check_fails "doctor finds something" 1 hwrngctl doctor
	check_equal "question 3: no hwrng" no-hwrng "$(first)"
	check_match "what to do is done on the host" 'virt-xml NAME --add-device --rng' "$(cat "$output")"
	check_match "the CPU's model is told of" 'cpu-instructions-hidden' "$(cat "$output")"
	/usr/bin/rngd -f >/tmp/rngd 2>&1
	check_match "question 4: rngd gives up" "can't open any entropy source|No entropy sources working" "$(cat /tmp/rngd)"
	check_match "and why is told" 'for the reason above.*rngd-no-source' "$(cat "$output")"
}
