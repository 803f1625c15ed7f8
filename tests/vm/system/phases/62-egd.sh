# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="EGD clients are served after the administrator enables it"
from=reboot

guest() {
	check "the boot is over" boot_is_over
	check_fails "the EGD socket is inactive by default" 3 systemctl is-active hwrngd-egd.socket
	printf '%s\n' '[egd]' 'listen = ["unix:/run/hwrngd/egd"]' >/etc/hwrngd.conf.d/30-system-test.conf
	# The commands of hwrngd(8).
	check "the sockets are enabled" systemctl enable hwrngd-egd.socket
	check "the daemon stops" systemctl stop hwrngd
	check "the daemon starts with the sockets" systemctl start hwrngd-egd.socket hwrngd
	check "hwrngd.service is active" systemctl is-active hwrngd.service
	check_clients
	check_equal "no unit has failed" "" "$(failed_units)"
}
