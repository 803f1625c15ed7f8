# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="the newer kernel loads the modules"
from=upgrade

guest() {
	check "the boot is over without failures" boot_is_over
	check_equal "the newer kernel runs" "$(cat "$kept/release")" "$(uname -r)"
	check_loaded
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "hwrngd has fed" eventually 90 has_fed
	tell "$(uname -r): fed from: $(fed_from)"
	check "the hwrng is the one that the configuration prefers" eventually 30 current_is 'tpm_rng.*'
	check_equal "no unit has failed" "" "$(failed_units)"
}
