# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a guest without any hardware for randomness, in which rngd is started"
like=doctor
rng=none
tpm=none
cpu=max,-rdrand,-rdseed

before() { with_daemons rngd; }
guest() {
	# The kernel may make the CRNG ready by itself at any moment.
	if [ "$(first)" = crng-not-ready ]; then
		check "question 12: doctor's commands make the CRNG ready" follow
		check_match "the kernel says that the CRNG is ready" 'crng init done' "$(dmesg)"
	fi
	check_fails "doctor reports a problem" 1 hwrngctl doctor
	check_equal "question 3: doctor reports that there is no hwrng" no-hwrng "$(first)"
	check_match "doctor says what to do on the host" 'virt-xml NAME --add-device --rng' "$(cat "$output")"
	check_match "doctor reports the hidden instructions of the CPU" 'cpu-instructions-hidden' "$(cat "$output")"
	/usr/bin/rngd -f >/tmp/rngd 2>&1
	check_match "question 4: rngd gives up" "can't open any entropy source|No entropy sources working" "$(cat /tmp/rngd)"
	check_match "doctor explains why" 'for the reason above.*rngd-no-source' "$(cat "$output")"
}
