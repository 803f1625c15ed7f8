# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="the packages are removed and purged, and leave nothing behind"
from=reboot
timeout=400

# kept_by_others: omits files that other programs keep: the linker's cache; lists of users, whose names are
# compared separately; logs, caches and states of apt, dpkg, systemd and others; the key that DKMS made at its
# first build; the home of the user of tpm-udev, which libtss2 depends on.
kept_by_others() {
	grep -vE -e ' /etc/(ld\.so\.cache|(passwd|group|shadow|gshadow|subuid|subgid)-?)$' \
		-e '^/etc/(\.pwd\.lock|(passwd|group|shadow|gshadow|subuid|subgid)-) ' \
		-e '^/var/(cache|log|lib/(apt|dpkg|systemd|dbus)|tmp/systemd-private-[^ ]*)(/| )' \
		-e '^/var/lib/(dkms/mok\.(key|pub)|tpm) '
}

# changes: prints the files that were added or removed since before the installation.
changes() {
	files | kept_by_others >after
	kept_by_others <"$kept/files" | diff - after | grep '^[<>]'
}

guest() {
	check "the boot is over" boot_is_over
	check "hwrngctl select --persist succeeds" hwrngctl select cpu_rng.rdseed --persist

	check "apt removes our packages" apt-get -qq remove hwrngd hwrngd-dkms hwrngd-rngtest
	check_fails "hwrngd.service is unknown" 4 systemctl status hwrngd.service
	check_equal "the daemon is not running" "" "$(pidof hwrngd)"
	check_equal "the modules are removed" "" "$(find /lib/modules/ -name '*_rng.ko*' -path '*/dkms/*')"
	check "the configuration is kept" test -s /etc/hwrngd.conf
	check "the selection is kept" test -s /etc/hwrngd.conf.d/zz-selected.conf

	# Without the option, packages that systemd suggests would stay.
	check "apt purges the packages, and those that only they needed" \
		apt-get -qq purge --autoremove -o APT::AutoRemove::SuggestsImportant=false hwrngd hwrngd-dkms hwrngd-rngtest
	check_equal "DKMS no longer lists the modules" "" "$(dkms status | grep hwrngd)"
	check_equal "no unit is left" "" "$(systemctl list-unit-files --no-legend 'hwrngd*' 'rngd*')"
	check_fails "the user hwrngd is gone" 2 getent passwd hwrngd
	check_fails "the group hwrngd is gone" 2 getent group hwrngd
	check "the files below /run are gone" test ! -e /run/hwrngd
	check_equal "the same packages are installed as before" "" "$(installed | comm -3 - "$kept/installed")"
	# The user of tpm-udev stays, as Debian does not remove users.
	check_equal "the same users and groups are there" "" "$(accounts | comm -3 - "$kept/accounts" | grep -vx '[[:space:]]*[ug]: tss')"
	check_equal "the same files are there" "" "$(changes)"
}
