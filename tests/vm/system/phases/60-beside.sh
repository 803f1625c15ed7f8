# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="rng-tools5 and haveged install beside our packages"
from=reboot
timeout=400

guest() {
	check "the boot is over" boot_is_over
	check "apt installs rng-tools5 and haveged" apt-get -qq install rng-tools5 haveged
	check "hwrngd stays installed" dpkg-query -W hwrngd
	check "hwrngd-dkms stays installed" dpkg-query -W hwrngd-dkms
	# Only one package can have /usr/bin/rngtest.
	check_equal "rngtest is that of rng-tools5" "rng-tools5: /usr/bin/rngtest" "$(dpkg -S /usr/bin/rngtest 2>&1)"
	# rngd.service is our alias, so the rngd of rng-tools5 needs another name.
	check_equal "rngd.service is ours" hwrngd.service "$(systemctl show --value -p Id rngd.service)"
	cp /lib/systemd/system/rngd.service /etc/systemd/system/rng-tools5.service
	check "rngd of rng-tools5 gets its own unit" systemctl enable --now rng-tools5.service
	check "hwrngd.service is active" systemctl is-active hwrngd.service
	check_fails "doctor reports too many feeders" 1 hwrngctl doctor
	check_match "doctor names the feeders" 'haveged and hwrngd and rngd feed the same pool.*two-feeders' "$(cat "$output")"
	check_match "doctor names the unit of haveged" 'systemctl disable --now haveged\.service$' "$(cat "$output")"
	check_match "doctor names the unit of rngd" 'systemctl disable --now rng-tools5\.service$' "$(cat "$output")"
	check_equal "no unit has failed" "" "$(failed_units)"
}
