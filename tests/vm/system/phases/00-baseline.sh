# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="Debian without our packages: its errors and its boot time"
from=
suites="bullseye bookworm trixie"

guest() {
	check "the boot is over" boot_is_over
	check_equal "no unit has failed" "" "$(failed_units)"
	errors >"$kept/errors"
	diag "errors in the journal without us:" "$(cat "$kept/errors")"
	reached sysinit.target >"$kept/sysinit"
	tell "$(uname -r), sysinit.target reached after $(cat "$kept/sysinit") ms, multi-user.target after $(reached multi-user.target) ms"
	check "apt reads the packages on the third disk" apt-get -qq update
}
