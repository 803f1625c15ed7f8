# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="after the purge, the machine boots as before the installation"
from=purge

guest() {
	check "the boot is over without failures" boot_is_over
	check_equal "no unit has failed" "" "$(failed_units)"
	check_equal "the journal has no new errors" "" "$(new_errors)"
	check_fails "rngd is unknown" 4 systemctl status rngd.service
	check "no module of ours is loaded" test ! -d /sys/module/tpm_rng -a ! -d /sys/module/cpu_rng
}
