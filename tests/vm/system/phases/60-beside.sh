# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="rng-tools5 and haveged install beside ours"
from=reboot
timeout=400

guest() {
	check "the boot is over" boot_is_over
	check "apt installs rng-tools5 and haveged" apt-get -qq install rng-tools5 haveged
	check "hwrngd stays" dpkg-query -W hwrngd
	check "so does hwrngd-dkms" dpkg-query -W hwrngd-dkms
	# Only one of them can be /usr/bin/rngtest.
	check_equal "rngtest is that of rng-tools5" "rng-tools5: /usr/bin/rngtest" "$(dpkg -S /usr/bin/rngtest 2>&1)"
	# The name rngd.service is ours, so that who wants that rngd too gives it another.
	check_equal "rngd.service is ours" hwrngd.service "$(systemctl show --value -p Id rngd.service)"
	cp /lib/systemd/system/rngd.service /etc/systemd/system/rng-tools5.service
	check "their daemon gets a unit of its own" systemctl enable --now rng-tools5.service
	check "hwrngd.service is active" systemctl is-active hwrngd.service
	check_fails "doctor finds too many feeders" 1 hwrngctl doctor
	check_match "and names them" 'haveged and hwrngd and rngd feed the same pool.*two-feeders' "$(cat "$output")"
	check_match "and the unit of the one" 'systemctl disable --now haveged\.service$' "$(cat "$output")"
	check_match "and of the other" 'systemctl disable --now rng-tools5\.service$' "$(cat "$output")"
	check_equal "no unit has failed" "" "$(failed_units)"
}
