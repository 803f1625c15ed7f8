# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="and they are loaded at boot"
from=modules
suites=bullseye

guest() {
	check "the boot is over, and all is well" boot_is_over
	check_equal "no unit has failed" "" "$(failed_units)"
	check_loaded
	check_match "there is a hwrng for the TPM" 'tpm_rng\.0' "$(cat "$hw_random/rng_available")"
	# Such a kernel takes any name without a word.
	echo tpm_rng.0 >"$hw_random/rng_current"
	check "it can be selected" current_is tpm_rng.0
	check_equal "and read" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
	check_equal "the journal has no error that Debian does not print without us" "" "$(new_errors)"
	check "the package goes" apt-get -qq purge hwrngd-dkms
	check_equal "with its modules" "" "$(find /lib/modules/ -name '*_rng.ko*' -path '*/dkms/*')"
}
