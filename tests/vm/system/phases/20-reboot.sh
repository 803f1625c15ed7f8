# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="all of it comes up by itself, as configured, and nobody complains"
from=install

guest() {
	check "the boot is over, and all is well" boot_is_over
	check_loaded
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check "so is rngd" systemctl is-active rngd
	check "it has fed" eventually 90 has_fed
	check "when, its status says" test "$(daemon_says '.last_feed > .started')" = true
	tell "fed $(daemon_says '.last_feed - .started | . * 1000 | round') ms after its start, from: $(fed_from)"
	check "the hwrng is the one that the configuration prefers" eventually 30 current_is 'tpm_rng.*'
	check "the TPM feeds, too" eventually 60 feeds_from 'tpm.*'
	check_equal "no source is in quarantine" "" "$(daemon_says '.sources[] | select(.state == "quarantined") | .name')"
	tell "rng_available: $(cat "$hw_random/rng_available")"
	check_equal "no unit has failed" "" "$(failed_units)"
	check_equal "the journal has no error that Debian does not print without us" "" "$(new_errors)"

	tell "$(uname -r), sysinit.target reached after $(reached sysinit.target) ms ($(cat "$kept/sysinit") without us), hwrngd after $(reached hwrngd.service)"
	# What a unit of Type=notify takes until it is ready costs a boot nothing then, but for the CPU's time.
	check_equal "no target of the boot waits for it" "" \
		"$(systemctl show --value -p Before hwrngd.service | grep -oE '(sysinit|basic|multi-user|graphical)\.target')"
	took hwrngd >costs
	tell_lines <costs
	cpu_of hwrngd
	systemd-analyze critical-chain --no-pager hwrngd.service >chain 2>&1
	diag "$(cat chain)"
}
