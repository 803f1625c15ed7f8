# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd, haveged and rngd run at the same time; their costs at boot"
from=beside

guest() {
	check "the boot is over without failures" boot_is_over
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "hwrngd has fed" eventually 90 has_fed
	check "haveged is active" systemctl is-active haveged.service
	check "rngd of rng-tools5 is active" systemctl is-active rng-tools5.service
	check "our alias rngd.service is active" systemctl is-active rngd.service
	status=$(hwrngctl status)
	diag "$status"
	check_match "hwrngctl status shows rngd" 'rngd' "$status"
	check_match "hwrngctl status shows haveged" 'haveged' "$status"
	check_equal "no unit has failed" "" "$(failed_units)"
	tell "sysinit.target reached after $(reached sysinit.target) ms ($(cat "$kept/sysinit") without any of them)"
	tell "active after: hwrngd $(reached hwrngd.service) ms, haveged $(reached haveged.service) ms, rngd $(reached rng-tools5.service) ms"
	took hwrngd haveged rng-tools5 >costs
	tell_lines <costs
	for unit in hwrngd haveged rng-tools5; do cpu_of "$unit"; done
}
