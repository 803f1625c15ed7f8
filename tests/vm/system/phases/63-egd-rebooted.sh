# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="EGD clients are served after a reboot"
from=egd

guest() {
	check "the boot is over without failures" boot_is_over
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check_clients
	check_equal "no unit has failed" "" "$(failed_units)"
	check_equal "the journal has no new errors" "" "$(new_errors)"
	is=$(tr '\t' ' ' <"/proc/$(daemon_says .egd.pid)/status")
	check_match "the EGD server runs as the daemon's user" "Uid:( $(id -u hwrngd)){4}" "$is"
	check_match "the EGD server has no capabilities" 'CapPrm: 0000000000000000' "$is"
	tell "its memory: $(echo "$is" | sed -n 's/^VmRSS: *//p')"
	check "the machine meets SCS 0101 v1, which requires rngd" hwrngctl check scs --profile v1
	diag "$(cat "$output")"
	check "the machine meets SCS 0101 v1.1" hwrngctl check scs
	systemctl stop hwrngd
	check_fails "without the daemon the machine does not meet v1" 1 hwrngctl check scs --profile v1
	check_match "check scs names the inactive service" 'the service rngd is running.*ERROR.*hwrngd.service is inactive' "$(cat "$output")"
	check "without the daemon the machine still meets v1.1" hwrngctl check scs
	check "apt removes hwrngd" apt-get -qq remove hwrngd
	check_match "clients are no longer served" "Connection refused" "$(served IP PeerAddr 127.0.0.1:8888 2>&1)"
	check_equal "no unit has failed after that" "" "$(failed_units)"
}
