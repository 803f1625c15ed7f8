# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a healthy guest, then one trouble after the other, each healed by what it prints"
programs="build/hwrngctl /usr/bin/jq /usr/bin/unshare"

hw_random=/sys/class/misc/hw_random
first() { hwrngctl -o json doctor | jq -r '.findings[0].id // "nothing"'; }
first_note() { hwrngctl -o json doctor --all | jq -r '.findings[0].id // "nothing"'; }

# with_daemons NAME...: for before(): the programs of other projects, which are not installed.
with_daemons() {
	# shellcheck source=../../peers/daemons.sh
	. "$top/tests/peers/daemons.sh"
	fetch_daemons
	for daemon; do
		programs="$programs $daemons/$daemon"
		[ "$daemon" != haveged ] || programs="$programs $daemons_libraries/libhavege.so.2"
	done
}

# read_doctor: what doctor prints for people; its first finding is $met, the commands below it are
# the lines of /tmp/steps.
read_doctor() {
	doctor_status=0
	hwrngctl doctor >/tmp/doctor || doctor_status=$?
	met=$(sed -nE 's/^(problem|warning|note) .*\[(.*)\]$/\2/p' /tmp/doctor | head -n 1)
	awk '/^[a-z]/ { findings++ } findings == 1 && sub(/^            /, "")' /tmp/doctor >/tmp/steps
}
# take_steps: as somebody who copies one line after the other into a shell.
take_steps() {
	test -s /tmp/steps || return
	while IFS= read -r step <&4; do
		steps=$((steps + 1))
		sh -c "$step" || return
	done 4</tmp/steps
}
follow() {
	read_doctor
	take_steps
}

# works: nobody asks doctor whether it does.
works() {
	dmesg | grep -q 'crng init done' &&
		[ "$(cat $hw_random/rng_current)" != none ] &&
		[ "$(timeout 20 dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)" -eq 64 ] &&
		hwrngctl test --blocks 4
}
now() { tr -d . </proc/uptime | cut -d ' ' -f 1; }
heal() {
	while read_doctor; [ "$doctor_status" -ne 0 ]; do
		way="$way${way:+, }$met"
		rounds=$((rounds + 1))
		cp /tmp/doctor "/tmp/doctor.$rounds"
		if [ "$rounds" -gt 6 ] || ! take_steps; then
			cat /tmp/doctor
			return 1
		fi
	done
}
# newcomer FINDINGS: from a broken guest to one that works with nothing but what doctor prints, past
# these findings; leaves what it printed in /tmp/doctor.1 and so on.
newcomer() {
	check_fails "the guest does not work" 1 works
	way='' rounds=0 steps=0 began=$(now)
	check "a newcomer does what doctor prints" heal
	took=$(($(now) - began))
	check_equal "and meets" "$1" "$way"
	check_equal "until nothing needs doing" "Nothing needs doing" "$(tail -n 1 /tmp/doctor | cut -d : -f 1)"
	check "the guest works" works
	tell "a newcomer, $way: $steps commands, $(printf '%d.%02d' $((took / 100)) $((took % 100))) s"
}

guest() {
	check "a healthy guest" hwrngctl doctor
	check_match "is said to be one" "^Nothing needs doing: .* $(cat $hw_random/rng_current) by itself" "$(cat "$output")"
	check_equal "and nothing else" 1 "$(wc -l <"$output")"
	check_match "question 1: 256 bits are explained when asked for" 'entropy-avail-256' "$(hwrngctl doctor --all)"

	mkdir -p /etc/munin/plugins /etc/nagios
	touch /etc/munin/plugins/entropy
	echo 'command[check_entropy]=/usr/lib/nagios/plugins/check_entropy -w 200' >/etc/nagios/nrpe.cfg
	check_equal "question 1: monitors of entropy_avail" entropy-avail-watched "$(first)"
	check "following it" follow
	check_equal "nothing is left to do" nothing "$(first)"

	check "virtio_rng is unloaded" rmmod virtio_rng
	if [ "$flavour" = generic ]; then
		skip "no hwrng is left" "the kernel serves the TPM"
		check "virtio_rng is loaded" modprobe virtio_rng
	else
		newcomer device-without-driver
	fi

	if grep -qw none $hw_random/rng_available; then
		check "somebody selects none" hwrngctl select none
		newcomer none-selected
	fi

	echo virtio_rng.0 >$hw_random/rng_current
	check_equal "question 6: a choice that nobody keeps" choice-not-kept "$(first)"
	check "following it" follow
	check_equal "nothing is left to do" nothing "$(first)"

	echo bcm2708-rng >/etc/modules
	check_equal "question 14: the driver of old Raspberry Pis" raspberry-pi-module "$(first)"
	check "following it" follow
	check_equal "nothing is left to do" nothing "$(first)"

	mkdir -p /tmp/away
	find /lib/modules -name 'tpm_rng.ko*' -exec mv -t /tmp/away {} +
	depmod
	echo tpm_rng >/etc/modules
	check_equal "question 2: tpm_rng is asked for and there is none" tpm-rng-module-missing "$(first)"
	if [ "$flavour" = generic ]; then
		check "following it" follow
		check_equal "nothing is left to do" nothing "$(first)"
	else
		check_match "our package has it" '^ +apt install hwrngd-dkms$' "$(hwrngctl doctor)"
	fi

	check_equal "question 13: a container" container "$(unshare --pid --fork --mount-proc hwrngctl -o json doctor | jq -r '.findings[].id')"
	check "has nothing to do" unshare --pid --fork --mount-proc hwrngctl doctor
}
