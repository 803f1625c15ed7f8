# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="in a container of systemd-nspawn, hwrngctl says that it sees the host's pool and hardware"
from=reboot

# contained COMMAND...: runs it in a container that has only /usr of this Debian.
contained() { systemd-nspawn --quiet --pipe --register=no --keep-unit --volatile=yes --directory=/ "$@"; }

guest() {
	check "the boot is over" boot_is_over
	check "apt installs systemd-container" apt-get -qq install systemd-container
	check "doctor --all succeeds in the container" contained hwrngctl doctor --all
	said=$(cat "$output")
	check_match "doctor says that this is a container" '^note .*This is a container: .*\[container\]' "$said"
	check_match "doctor says to run it on the host" '^ +do +run doctor and hwrngd on the host' "$said"
	check_equal "doctor has no other finding" 1 "$(echo "$said" | grep -c '^\(note\|warning\|problem\) ')"
	check_equal "the JSON of doctor has only this finding" container "$(contained hwrngctl doctor --output=json --all | jq -r '[.findings[].id] | join(" ")')"
	before=$(cat "$hw_random/rng_available")
	check_fails "unloading a module is refused" 4 contained hwrngctl unload cpu
	check_match "the refusal names the container as reason" 'this is a container without CAP_SYS_MODULE: load and unload modules on its host' "$(cat "$output")"
	check "the host's daemon is still active" systemctl is-active hwrngd.service
	check_equal "the host's hwrngs are still there" "$before" "$(cat "$hw_random/rng_available")"
	check_equal "no unit has failed" "" "$(failed_units)"
}
