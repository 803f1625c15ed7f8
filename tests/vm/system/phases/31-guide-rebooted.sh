# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="commands from old guides work: the second half, after the reboot; the selection is kept"
from=guide

available_has() { tr ' ' '\n' <"$hw_random/rng_available" | grep -qx "$1"; }
available_lacks() { ! available_has "$1"; }

guest() {
	check "the boot is over without failures" boot_is_over
	check_equal "no unit has failed" "" "$(failed_units)"
	check_match "systemd-modules-load has read /etc/modules" "Inserted module 'tpm_rng'" "$(journalctl --boot --no-pager -t systemd-modules-load)"
	check "/sys/devices/virtual/misc/hw_random/rng_available shows tpm_rng" eventually 30 \
		grep -q tpm_rng /sys/devices/virtual/misc/hw_random/rng_available
	check "dd if=/dev/random of=/dev/null bs=1024 count=1 iflag=fullblock succeeds" \
		dd if=/dev/random of=/dev/null bs=1024 count=1 iflag=fullblock
	check_match "dd reads all 1024 bytes" '^1024 bytes' "$(cat "$output")"
	# Its exit code is 1 if any block fails.
	rngtest -c 1000 </dev/random >rngtest.log 2>&1
	check_match "rngtest -c 1000 </dev/random has at most 5 failures" '^rngtest: FIPS 140-2 failures: [0-5]$' "$(cat rngtest.log)"
	tell "$(grep 'failures: ' rngtest.log | head -n 1)"

	check "the selection is kept after the reboot" eventually 30 current_is cpu_rng.rdseed
	# The other module is unloaded and loaded late, as may happen at boot; then the selected one.
	check "tpm_rng is unloaded" modprobe -r tpm_rng
	check "tpm_rng is loaded late" modprobe tpm_rng
	check "tpm_rng.0 is available" eventually 10 available_has tpm_rng.0
	check "the selection is kept after that" eventually 30 current_is cpu_rng.rdseed
	check "cpu_rng is unloaded" modprobe -r cpu_rng
	check "cpu_rng.rdseed is gone" eventually 10 available_lacks cpu_rng.rdseed
	check "cpu_rng is loaded late" modprobe cpu_rng
	check "cpu_rng.rdseed is current again" eventually 60 current_is cpu_rng.rdseed
}
