# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="apt installs our packages, and DKMS builds the modules for the running kernel"
from=baseline
timeout=600

verify_units() {
	systemd-analyze verify --man=no hwrngd.service hwrngd-helper.socket hwrngd-helper@1.service
}
exposure() {
	systemd-analyze security --offline=true --threshold=15 --no-pager \
		"$(systemctl show --value -p FragmentPath hwrngd.service)"
}
# try_rule DEVICE: prints udev's messages about our rules for this device, in a dry run.
try_rule() {
	udevadm test --action=add "$1" 2>&1 | grep -F 60-hwrngd.rules
}
is_healthy() { [ "$(daemon_says ".sources[] | select(.name == \"$1\") | .state")" = healthy ]; }

guest() {
	check "the boot is over" boot_is_over
	files >"$kept/files"
	accounts >"$kept/accounts"
	check "apt reads the package lists" apt-get -qq update
	installed >"$kept/installed"
	begin=$(date +%s)
	check "apt installs our packages" apt-get -qq install ./hwrngd_*.deb ./hwrngd-dkms_*.deb ./hwrngd-rngtest_*.deb
	seconds=$(($(date +%s) - begin))
	installed | comm -13 "$kept/installed" - >new
	tell "installed in $seconds s: $(wc -l <new) packages, $(awk '{ sum += $2 } END { print sum }' new) KiB"
	tell_lines <new

	check_modules
	sign=$(modinfo -F signer tpm_rng)
	tell "tpm_rng is signed by: ${sign:-no signer}"
	check "the user hwrngd exists" id hwrngd
	check "systemd-analyze verify accepts the units" verify_units
	check_equal "systemd-analyze verify prints nothing" "" "$(cat "$output")"
	check "systemd-analyze security gives hwrngd.service an exposure below the limit" exposure
	tell "$(grep -i 'overall exposure' "$output")"
	if [ "$suite" = bookworm ]; then
		diag "udevadm of Debian 12 cannot verify"
	else
		check "udevadm verify accepts the rules" udevadm verify \
			/usr/lib/udev/rules.d/60-hwrngd.rules /usr/lib/udev/rules.d/60-tpm_rng.rules
	fi
	# A dry run "adds" the TPM once more.
	check_match "udev would load tpm_rng for the TPM" 'kmod load tpm_rng' \
		"$(udevadm test --action=add /sys/class/tpm/tpm0 2>&1)"
	check_equal "udev would not load it for anything else" "" \
		"$(udevadm test --action=add /sys/class/misc/hw_random 2>&1 | grep 'kmod load tpm_rng')"
	check_match "udev would give /dev/hwrng to our group" 'hwrngd' "$(try_rule /sys/class/misc/hw_random)"

	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "its alias rngd is active" systemctl is-active rngd
	check "hwrngd has fed" eventually 90 has_fed
	tell "fed from: $(fed_from)"
	mkdir -p /etc/hwrngd.conf.d

	# PrivateDevices= hides this device from the daemon. It has the numbers of /dev/urandom.
	mknod -m 600 /dev/generator c 1 9
	printf '%s\n' '[source.generator]' 'path = "/dev/generator"' >/etc/hwrngd.conf.d/20-generator.conf
	check "the daemon reads its configuration again" systemctl reload hwrngd
	check "the daemon reads a generator in /dev" eventually 60 is_healthy generator
	rm /dev/generator /etc/hwrngd.conf.d/20-generator.conf
	check "the daemon reads its configuration without the generator" systemctl reload hwrngd

	# The name sorts before the file of `hwrngctl select --persist`, which requires this.
	echo 'prefer = ["tpm_rng*"]' >/etc/hwrngd.conf.d/10-system-test.conf
	check "a configuration that prefers tpm_rng is accepted" hwrngd --check-config
	check_equal "no unit has failed" "" "$(failed_units)"
}
