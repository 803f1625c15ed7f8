# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="apt installs a newer kernel, and DKMS builds the modules for it"
from=install
timeout=900

guest() {
	check "the boot is over" boot_is_over
	# Take the release from the file name of the package.
	release=$(cd /srv/packages && echo linux-headers-*-cloud-amd64_*.deb | sed 's/^linux-headers-//; s/_.*//')
	begin=$(date +%s)
	check "apt installs $release" apt-get -qq install "linux-image-$release" "linux-headers-$release"
	tell "$release installed in $(($(date +%s) - begin)) s, including the DKMS build"
	check_modules "$release"
	echo "$release" >"$kept/release"
}
