# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="what guides have long told people to type works; the first half, before the reboot"
from=reboot

guest() {
	check "the boot is over" boot_is_over
	check "modprobe tpm_rng" modprobe tpm_rng
	echo tpm_rng >>/etc/modules
	# Nobody else shall load it.
	ln -s /dev/null /etc/udev/rules.d/60-tpm_rng.rules
	echo 'modules = []' >/etc/hwrngd.conf.d/20-system-test.conf
	check "neither udev nor the daemon will" hwrngd --check-config
	# Not what the configuration prefers.
	check "hwrngctl select cpu_rng.rdseed --persist" hwrngctl select cpu_rng.rdseed --persist
	check "is kept in a file of its own" test -s /etc/hwrngd.conf.d/zz-selected.conf
	check "holds" eventually 10 current_is cpu_rng.rdseed
	check "hwrngd.service is active" systemctl is-active hwrngd.service
}
