# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="after a reboot everything runs as configured, without errors"
from=install

guest() {
	check "the boot is over without failures" boot_is_over
	check_loaded
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "its alias rngd is active" systemctl is-active rngd
	check "hwrngd has fed" eventually 90 has_fed
	check "the status has the time of the last feed" test "$(daemon_says '.last_feed > .started')" = true
	tell "fed $(daemon_says '.last_feed - .started | . * 1000 | round') ms after its start, from: $(fed_from)"
	check "the hwrng is the one that the configuration prefers" eventually 30 current_is 'tpm_rng.*'
	check "the TPM is fed from" eventually 60 feeds_from 'tpm.*'
	check "cpu_rng is loaded now and at every boot" hwrngctl load cpu --persist
	check_match "hwrngctl names its file" '/etc/modules-load.d/hwrngd-cpu_rng.conf loads it at every boot' "$(cat "$output")"
	check_equal "no source is in quarantine" "" "$(daemon_says '.sources[] | select(.state == "quarantined") | .name')"
	tell "rng_available: $(cat "$hw_random/rng_available")"
	check_equal "no unit has failed" "" "$(failed_units)"
	check_equal "the journal has no new errors" "" "$(new_errors)"

	tell "$(uname -r), sysinit.target reached after $(reached sysinit.target) ms ($(cat "$kept/sysinit") without us), hwrngd after $(reached hwrngd.service)"
	# If no target waits for it, its start costs the boot only CPU time.
	check_equal "no target of the boot waits for it" "" \
		"$(systemctl show --value -p Before hwrngd.service | grep -oE '(sysinit|basic|multi-user|graphical)\.target')"
	took hwrngd >costs
	tell_lines <costs
	cpu_of hwrngd
	systemd-analyze critical-chain --no-pager hwrngd.service >chain 2>&1
	diag "$(cat chain)"
}
