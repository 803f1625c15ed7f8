# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: a healthy guest, then one problem after another, each solved by the printed commands"
programs="build/hwrngctl /usr/bin/jq /usr/bin/unshare"

hw_random=/sys/class/misc/hw_random
first() { hwrngctl -o json doctor | jq -r '.findings[0].id // "nothing"'; }
first_note() { hwrngctl -o json doctor --all | jq -r '.findings[0].id // "nothing"'; }

# with_daemons NAME...: for before(). Fetches daemons of other projects and adds them to $programs.
with_daemons() {
	# shellcheck source=../../peers/daemons.sh
	. "$top/tests/peers/daemons.sh"
	fetch_daemons
	for daemon; do
		programs="$programs $daemons/$daemon"
		[ "$daemon" != haveged ] || programs="$programs $daemons_libraries/libhavege.so.2"
	done
}

# read_doctor: runs doctor. Sets $met to the id of the first finding, and writes its commands to
# /tmp/steps, one per line.
read_doctor() {
	doctor_status=0
	hwrngctl doctor >/tmp/doctor || doctor_status=$?
	met=$(sed -nE 's/^(problem|warning|note) .*\[(.*)\]$/\2/p' /tmp/doctor | head -n 1)
	awk '/^[a-z]/ { findings++ } findings == 1 && sub(/^            /, "")' /tmp/doctor >/tmp/steps
}
# take_steps: runs the commands, like a user who copies one line after another into a shell.
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

# works: checks that the guest works, without asking doctor.
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
# newcomer FINDINGS: repairs a broken guest with nothing but the commands that doctor prints. Checks that
# doctor reports these findings on the way. Its outputs are kept in /tmp/doctor.1 and so on.
newcomer() {
	check_fails "the guest does not work at first" 1 works
	way='' rounds=0 steps=0 began=$(now)
	check "a newcomer follows doctor's commands until it is satisfied" heal
	took=$(($(now) - began))
	check_equal "doctor reported these findings" "$1" "$way"
	check_equal "doctor ends with \"Nothing needs doing\"" "Nothing needs doing" "$(tail -n 1 /tmp/doctor | cut -d : -f 1)"
	check "the guest works then" works
	tell "a newcomer, $way: $steps commands, $(printf '%d.%02d' $((took / 100)) $((took % 100))) s"
}

guest() {
	check "doctor succeeds in a healthy guest" hwrngctl doctor
	check_match "doctor says that the guest is healthy" "^Nothing needs doing: .* $(cat $hw_random/rng_current) by itself" "$(cat "$output")"
	check_equal "doctor prints only one line" 1 "$(wc -l <"$output")"
	check_match "question 1: --all explains the 256 bits" 'entropy-avail-256' "$(hwrngctl doctor --all)"

	mkdir -p /etc/munin/plugins /etc/nagios
	touch /etc/munin/plugins/entropy
	echo 'command[check_entropy]=/usr/lib/nagios/plugins/check_entropy -w 200' >/etc/nagios/nrpe.cfg
	check_equal "question 1: doctor reports monitors of entropy_avail" entropy-avail-watched "$(first)"
	check "doctor's commands succeed" follow
	check_equal "doctor reports nothing more" nothing "$(first)"

	check "virtio_rng is unloaded" rmmod virtio_rng
	if [ "$flavour" = generic ]; then
		skip "the guest has no hwrng" "the kernel serves the TPM"
		check "virtio_rng is loaded" modprobe virtio_rng
	else
		newcomer device-without-driver
	fi

	if grep -qw none $hw_random/rng_available; then
		check "the hwrng none is selected" hwrngctl select none
		newcomer none-selected
	fi

	echo virtio_rng.0 >$hw_random/rng_current
	check_equal "question 6: doctor reports a selection that is lost at the next boot" choice-not-kept "$(first)"
	check "doctor's commands succeed" follow
	check_equal "doctor reports nothing more" nothing "$(first)"

	echo bcm2708-rng >/etc/modules
	check_equal "question 14: doctor reports the driver of old Raspberry Pis" raspberry-pi-module "$(first)"
	check "doctor's commands succeed" follow
	check_equal "doctor reports nothing more" nothing "$(first)"

	mkdir -p /tmp/away
	find /lib/modules -name 'tpm_rng.ko*' -exec mv -t /tmp/away {} +
	depmod
	echo tpm_rng >/etc/modules
	check_equal "question 2: doctor reports that tpm_rng is configured but not installed" tpm-rng-module-missing "$(first)"
	if [ "$flavour" = generic ]; then
		check "doctor's commands succeed" follow
		check_equal "doctor reports nothing more" nothing "$(first)"
	else
		check_match "doctor says to install our package" '^ +apt install hwrngd-dkms$' "$(hwrngctl doctor)"
	fi

	check_equal "question 13: doctor reports a container" container "$(unshare --pid --fork --mount-proc hwrngctl -o json doctor | jq -r '.findings[].id')"
	check "doctor succeeds in a container" unshare --pid --fork --mount-proc hwrngctl doctor
}
