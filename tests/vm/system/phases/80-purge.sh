# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="packages are removed and purged, and nothing of them is left"
from=reboot
timeout=400

# What others keep for themselves, and not for us: the linker's cache and lists of users, of which the
# names are compared; logs, caches and states of apt, dpkg, systemd and the like; the key that DKMS made
# when it first built something; where the user of tpm-udev, which libtss2 brings, is at home.
kept_by_others() {
	grep -vE -e ' /etc/(ld\.so\.cache|(passwd|group|shadow|gshadow|subuid|subgid)-?)$' \
		-e '^/etc/(\.pwd\.lock|(passwd|group|shadow|gshadow|subuid|subgid)-) ' \
		-e '^/var/(cache|log|lib/(apt|dpkg|systemd|dbus)|tmp/systemd-private-[^ ]*)(/| )' \
		-e '^/var/lib/(dkms/mok\.(key|pub)|tpm) '
}

# changes: names that have come or gone since before we were installed.
changes() {
	files | kept_by_others >after
	kept_by_others <"$kept/files" | diff - after | grep '^[<>]'
}

guest() {
	check "the boot is over" boot_is_over
	check "a selection is kept" hwrngctl select cpu_rng.rdseed --persist

	check "apt removes our packages" apt-get -qq remove hwrngd hwrngd-dkms hwrngd-rngtest
	check_fails "hwrngd.service runs no more" 4 systemctl status hwrngd.service
	check_equal "nor does the daemon" "" "$(pidof hwrngd)"
	check_equal "nor is there a module" "" "$(find /lib/modules/ -name '*_rng.ko*' -path '*/dkms/*')"
	check "the configuration is kept" test -s /etc/hwrngd.conf
	check "with what was selected" test -s /etc/hwrngd.conf.d/zz-selected.conf

	# What systemd merely suggests would stay.
	check "apt purges them, and what they alone needed" \
		apt-get -qq purge --autoremove -o APT::AutoRemove::SuggestsImportant=false hwrngd hwrngd-dkms hwrngd-rngtest
	check_equal "DKMS knows nothing of them" "" "$(dkms status | grep hwrngd)"
	check_equal "no unit is left" "" "$(systemctl list-unit-files --no-legend 'hwrngd*' 'rngd*')"
	check_fails "the user is gone" 2 getent passwd hwrngd
	check_fails "and the group" 2 getent group hwrngd
	check "and what was noted at run time" test ! -e /run/hwrngd
	check_equal "the same packages are installed as before" "" "$(installed | comm -3 - "$kept/installed")"
	# That of tpm-udev stays, as Debian's users do.
	check_equal "the same users and groups are there" "" "$(accounts | comm -3 - "$kept/accounts" | grep -vx '[[:space:]]*[ug]: tss')"
	check_equal "the same files are there" "" "$(changes)"
}
