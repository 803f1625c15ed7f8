# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="only the modules, on a Debian too old for our programs: DKMS builds them"
from=baseline
suites=bullseye
timeout=600

guest() {
	check "the boot is over" boot_is_over
	check "apt reads the package lists" apt-get -qq update
	begin=$(date +%s)
	check "apt installs hwrngd-dkms" apt-get -qq install ./hwrngd-dkms_*.deb
	tell "installed in $(($(date +%s) - begin)) s"
	check_modules
}
