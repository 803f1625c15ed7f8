# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="in a container of systemd-nspawn, hwrngctl says whose pool and hardware it sees"
from=reboot

# In a container that has this very Debian's /usr, and nothing else of it.
contained() { systemd-nspawn --quiet --pipe --register=no --keep-unit --volatile=yes --directory=/ "$@"; }

guest() {
	check "the boot is over" boot_is_over
	check "apt installs systemd-container" apt-get -qq install systemd-container
	check "doctor has nothing to say in there" contained hwrngctl doctor --all
	said=$(cat "$output")
	check_match "but that it is a container" '^note .*This is a container: .*\[container\]' "$said"
	check_match "and where to run it" '^ +do +run it on the host' "$said"
	check_equal "and that alone" 1 "$(echo "$said" | grep -c '^\(note\|warning\|problem\) ')"
	check_equal "so does its JSON" container "$(contained hwrngctl doctor --output=json --all | jq -r '[.findings[].id] | join(" ")')"
	before=$(cat "$hw_random/rng_available")
	check_fails "to unload a module is refused" 4 contained hwrngctl unload cpu
	check_match "for that reason" 'this is a container without CAP_SYS_MODULE: load and unload modules on its host' "$(cat "$output")"
	check "the machine's daemon goes on" systemctl is-active hwrngd.service
	check_equal "and its hwrngs are there" "$before" "$(cat "$hw_random/rng_available")"
	check_equal "no unit has failed" "" "$(failed_units)"
}
