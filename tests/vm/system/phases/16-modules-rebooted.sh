# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="udev loads tpm_rng at boot, and nobody loads cpu_rng"
from=modules
suites=bullseye

guest() {
	check "the boot is over without failures" boot_is_over
	check_equal "no unit has failed" "" "$(failed_units)"
	check_loaded
	check "the TPM is a hwrng" eventually 30 grep -q 'tpm_rng\.0' "$hw_random/rng_available"
	# This kernel silently accepts any name.
	echo tpm_rng.0 >"$hw_random/rng_current"
	check "the TPM can be selected" current_is tpm_rng.0
	check_equal "the TPM can be read" 64 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
	check_equal "the journal has no new errors" "" "$(new_errors)"
	check "apt purges the package" apt-get -qq purge hwrngd-dkms
	check_equal "the modules are removed with it" "" "$(find /lib/modules/ -name '*_rng.ko*' -path '*/dkms/*')"
}
