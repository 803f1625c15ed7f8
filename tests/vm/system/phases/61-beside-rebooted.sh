# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="all three run; what they cost at boot"
from=beside

guest() {
	check "the boot is over, and all is well" boot_is_over
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "it has fed" eventually 90 has_fed
	check "haveged is active" systemctl is-active haveged.service
	check "rngd of rng-tools5 is active" systemctl is-active rng-tools5.service
	check "so is rngd.service, ours" systemctl is-active rngd.service
	status=$(hwrngctl status)
	diag "$status"
	check_match "hwrngctl status says that rngd runs" 'rngd' "$status"
	check_match "and haveged" 'haveged' "$status"
	check_equal "no unit has failed" "" "$(failed_units)"
	tell "sysinit.target reached after $(reached sysinit.target) ms ($(cat "$kept/sysinit") without any of them)"
	tell "active after: hwrngd $(reached hwrngd.service) ms, haveged $(reached haveged.service) ms, rngd $(reached rng-tools5.service) ms"
	took hwrngd haveged rng-tools5 >costs
	tell_lines <costs
	for unit in hwrngd haveged rng-tools5; do cpu_of "$unit"; done
}
