# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="the second half, after it; what was selected stays selected"
from=guide

available_has() { tr ' ' '\n' <"$hw_random/rng_available" | grep -qx "$1"; }
available_lacks() { ! available_has "$1"; }

guest() {
	check "the boot is over, and all is well" boot_is_over
	check_equal "no unit has failed" "" "$(failed_units)"
	check_match "systemd-modules-load has read /etc/modules" "Inserted module 'tpm_rng'" "$(journalctl --boot --no-pager -t systemd-modules-load)"
	check_match "cat /sys/devices/virtual/misc/hw_random/rng_available" 'tpm_rng' \
		"$(cat /sys/devices/virtual/misc/hw_random/rng_available)"
	check "dd if=/dev/random of=/dev/null bs=1024 count=1 iflag=fullblock" \
		dd if=/dev/random of=/dev/null bs=1024 count=1 iflag=fullblock
	check_match "reads it all" '^1024 bytes' "$(cat "$output")"
	# Its exit code is 1 when a single block has failed.
	rngtest -c 1000 </dev/random >rngtest.log 2>&1
	check_match "rngtest -c 1000 </dev/random: not more than 5 failures" '^rngtest: FIPS 140-2 failures: [0-5]$' "$(cat rngtest.log)"
	tell "$(grep 'failures: ' rngtest.log | head -n 1)"

	check "the selection has survived the boot" eventually 30 current_is cpu_rng.rdseed
	# The other one goes and comes, late as it may come at boot; then the selected one itself.
	check "tpm_rng is unloaded" modprobe -r tpm_rng
	check "and comes late" modprobe tpm_rng
	check "it is there" eventually 10 available_has tpm_rng.0
	check "the selection has survived that" eventually 30 current_is cpu_rng.rdseed
	check "cpu_rng is unloaded" modprobe -r cpu_rng
	check "another hwrng is in use" eventually 10 available_lacks cpu_rng.rdseed
	check "it comes late" modprobe cpu_rng
	check "and is in use again" eventually 60 current_is cpu_rng.rdseed
}
