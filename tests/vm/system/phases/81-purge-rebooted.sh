# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="and the machine boots as it did before"
from=purge

guest() {
	check "the boot is over, and all is well" boot_is_over
	check_equal "no unit has failed" "" "$(failed_units)"
	check_equal "the journal has no error that it did not have before" "" "$(new_errors)"
	check_fails "rngd is unknown" 4 systemctl status rngd.service
	check "no module of ours is loaded" test ! -d /sys/module/tpm_rng -a ! -d /sys/module/cpu_rng
}
