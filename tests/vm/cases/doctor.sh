# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a healthy guest, then one trouble after the other, each healed by what it prints"
programs="build/hwrngctl /usr/bin/jq /usr/bin/unshare"

hw_random=/sys/class/misc/hw_random
first() { hwrngctl -o json doctor | jq -r '.findings[0].id // "nothing"'; }
# follow: the commands of the first finding, as a newcomer would type them.
follow() {
	hwrngctl -o json doctor | jq -r '.findings[0].remedy[].command // empty' >/tmp/remedy
	test -s /tmp/remedy && sh -e /tmp/remedy
}

guest() {
	check "a healthy guest" hwrngctl doctor
	check_match "is said to be one" "^Nothing needs doing: .* $(cat $hw_random/rng_current) by itself" "$(cat "$output")"
	check_equal "and nothing else" 1 "$(wc -l <"$output")"
	check_match "256 bits are explained when asked for" 'entropy-avail-256' "$(hwrngctl doctor --all)"

	check "virtio_rng is unloaded" rmmod virtio_rng
	if [ "$flavour" = generic ]; then
		skip "no hwrng is left" "the kernel serves the TPM"
		check "virtio_rng is loaded" modprobe virtio_rng
	else
		check_fails "doctor finds something" 1 hwrngctl doctor
		check_equal "the device without its driver" device-without-driver "$(first)"
		check "following it" follow
	fi
	check_equal "nothing is left to do" nothing "$(first)"

	if grep -qw none $hw_random/rng_available; then
		check "somebody selects none" hwrngctl select none
		check_equal "doctor sees it" none-selected "$(first)"
		check "following it" follow
		check_equal "nothing is left to do" nothing "$(first)"
	fi

	echo virtio_rng.0 >$hw_random/rng_current
	check_equal "a choice that nobody keeps" choice-not-kept "$(first)"
	mkdir -p /etc
	check "following it" follow
	check_equal "nothing is left to do" nothing "$(first)"

	mkdir -p /tmp/away
	find /lib/modules -name 'tpm_rng.ko*' -exec mv -t /tmp/away {} +
	depmod
	echo tpm_rng >/etc/modules
	check_equal "tpm_rng is asked for and there is none" tpm-rng-module-missing "$(first)"
	if [ "$flavour" = generic ]; then
		check "following it" follow
		check_equal "nothing is left to do" nothing "$(first)"
	else
		check_match "our package has it" 'apt install hwrngd-dkms' "$(hwrngctl doctor)"
	fi

	check_equal "a container" container "$(unshare --pid --fork --mount-proc hwrngctl -o json doctor | jq -r '.findings[].id')"
	check "has nothing to do" unshare --pid --fork --mount-proc hwrngctl doctor
}
