# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="commands from old guides work: the first half, before the reboot"
from=reboot

guest() {
	check "the boot is over" boot_is_over
	check "cpu_rng was loaded at boot, as hwrngctl was told" test -d /sys/module/cpu_rng
	check "modprobe tpm_rng succeeds" modprobe tpm_rng
	echo tpm_rng >>/etc/modules
	# Only /etc/modules must load it.
	ln -s /dev/null /etc/udev/rules.d/60-tpm_rng.rules
	echo 'modules = []' >/etc/hwrngd.conf.d/20-system-test.conf
	check "a configuration without modules is accepted" hwrngd --check-config
	# Another source than the configuration prefers.
	check "hwrngctl select cpu_rng.rdseed --persist succeeds" hwrngctl select cpu_rng.rdseed --persist
	check "the selection is kept in its own file" test -s /etc/hwrngd.conf.d/zz-selected.conf
	check "the selection is in effect" eventually 10 current_is cpu_rng.rdseed
	check "hwrngd.service is active" systemctl is-active hwrngd.service
}
