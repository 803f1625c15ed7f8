# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="and at each boot from then on"
from=egd

guest() {
	check "the boot is over, and all is well" boot_is_over
	check "hwrngd.service is active" eventually 60 systemctl is-active hwrngd.service
	check_clients
	check_equal "no unit has failed" "" "$(failed_units)"
	check_equal "the journal has no error that Debian does not print without us" "" "$(new_errors)"
	is=$(tr '\t' ' ' <"/proc/$(daemon_says .egd.pid)/status")
	check_match "what speaks with clients is the daemon's user" "Uid:( $(id -u hwrngd)){4}" "$is"
	check_match "and has no capability" 'CapPrm: 0000000000000000' "$is"
	tell "its memory: $(echo "$is" | sed -n 's/^VmRSS: *//p')"
	check "it meets SCS 0101 v1, which asks for rngd" hwrngctl check scs --profile v1
	diag "$(cat "$output")"
	check "and v1.1" hwrngctl check scs
	systemctl stop hwrngd
	check_fails "without the daemon it does not meet v1" 1 hwrngctl check scs --profile v1
	check_match "which names the service" 'the service rngd is running.*ERROR.*hwrngd.service is inactive' "$(cat "$output")"
	check "but v1.1" hwrngctl check scs
	check "apt-get remove hwrngd" apt-get -qq remove hwrngd
	check_match "then nobody is" "Connection refused" "$(served IP PeerAddr 127.0.0.1:8888 2>&1)"
	check_equal "no unit has failed then" "" "$(failed_units)"
}
