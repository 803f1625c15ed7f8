# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="a machine without a TPM boots without failures; a plugged TPM becomes a hwrng by itself"
from=install
tpm=none

available_matches() { grep -qE "$1" "$hw_random/rng_available"; }
available_lacks() { ! available_matches "$1"; }
systemd_says() { systemctl show --value -p StatusText hwrngd.service | grep -qE "$1"; }
systemd_says_not() { ! systemd_says "$1"; }

guest() {
	check "the boot is over without failures" boot_is_over
	check_equal "no unit has failed" "" "$(failed_units)"
	check "systemd-modules-load has not failed" systemctl is-active systemd-modules-load.service
	check_equal "the journal has no new errors" "" "$(new_errors)"
	check "tpm_rng is not loaded" test ! -d /sys/module/tpm_rng
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "hwrngd has fed" eventually 90 has_fed
	tell "fed from: $(fed_from)"

	check "apt installs swtpm" apt-get -qq install swtpm
	check "the TPM proxy loads" modprobe tpm_vtpm_proxy
	plug 1
	check "a TPM is plugged" eventually 60 test -e /dev/tpm0
	check "udev makes tpm_rng load" eventually 60 test -d /sys/module/tpm_rng
	check "the TPM is a hwrng" eventually 60 available_matches 'tpm_rng\.'
	check "the TPM is selected, as the configuration prefers it" eventually 60 current_is 'tpm_rng.*'
	check "systemd shows that hwrngd feeds from the TPM" eventually 90 systemd_says 'from .*tpm_rng\.'
	kill "$swtpm"
	wait "$swtpm"
	check "the hwrng is gone after the TPM is unplugged" eventually 60 available_lacks 'tpm_rng\.'
	check "systemd no longer shows the TPM" eventually 60 systemd_says_not 'tpm'
	check "hwrngd.service is active" systemctl is-active hwrngd.service
	check_equal "no unit has failed" "" "$(failed_units)"
}
