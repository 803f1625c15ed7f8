# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="clients of the EGD protocol are served, once the administrator wants it"
from=reboot

guest() {
	check "the boot is over" boot_is_over
	check_fails "at first nobody is" 3 systemctl is-active hwrngd-egd.socket
	printf '%s\n' '[egd]' 'listen = ["unix:/run/hwrngd/egd"]' >/etc/hwrngd.conf.d/30-system-test.conf
	# As hwrngd(8) has it.
	check "the sockets are enabled" systemctl enable hwrngd-egd.socket
	check "the daemon ends" systemctl stop hwrngd
	check "and starts with them" systemctl start hwrngd-egd.socket hwrngd
	check "hwrngd.service is active" systemctl is-active hwrngd.service
	check_clients
	check_equal "no unit has failed" "" "$(failed_units)"
}
