# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="a machine without a TPM boots well; a TPM that comes is a hwrng by itself"
from=install
tpm=none

available_matches() { grep -qE "$1" "$hw_random/rng_available"; }
available_lacks() { ! available_matches "$1"; }
systemd_says() { systemctl show --value -p StatusText hwrngd.service | grep -qE "$1"; }
systemd_says_not() { ! systemd_says "$1"; }

guest() {
	check "the boot is over, and all is well" boot_is_over
	check_equal "no unit has failed" "" "$(failed_units)"
	check "not even systemd-modules-load" systemctl is-active systemd-modules-load.service
	check_equal "the journal has no error that Debian does not print without us" "" "$(new_errors)"
	check "tpm_rng is not loaded" test ! -d /sys/module/tpm_rng
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "it has fed" eventually 90 has_fed
	tell "fed from: $(fed_from)"

	check "a TPM in software is installed" apt-get -qq install swtpm
	check "and what connects it" modprobe tpm_vtpm_proxy
	plug 1
	check "it comes" eventually 60 test -e /dev/tpm0
	check "udev has tpm_rng loaded" eventually 60 test -d /sys/module/tpm_rng
	check "it is a hwrng" eventually 60 available_matches 'tpm_rng\.'
	check "which the configuration prefers" eventually 60 current_is 'tpm_rng.*'
	check "and which feeds, systemd says" eventually 90 systemd_says 'from .*tpm_rng\.'
	kill "$swtpm"
	wait "$swtpm"
	check "it goes" eventually 60 available_lacks 'tpm_rng\.'
	check "systemd no longer names it" eventually 60 systemd_says_not 'tpm'
	check "hwrngd.service is active" systemctl is-active hwrngd.service
	check_equal "no unit has failed" "" "$(failed_units)"
}
