# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd: its messages in systemd's journal"
programs="build/hwrngd build/hwrngctl /lib/systemd/systemd-journald /usr/bin/systemd-cat /usr/bin/journalctl"
kernels=6.1 kernels_why="it does not depend on the kernel"

# entries MESSAGE_ID: prints the entries as JSON, one per line.
entries() { journalctl --no-pager --output=json "MESSAGE_ID=$1"; }
has_entry() { entries "$1" | grep -q .; }

guest() {
	mkdir -p /etc /run/log/journal
	head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >/etc/machine-id
	mount -t cgroup2 cgroup /sys/fs/cgroup
	systemd-journald 2>/tmp/journald.log &
	check "the journal is running" eventually test -S /run/systemd/journal/socket
	echo 'modules = ["cpu_rng"]' >/etc/hwrngd.conf
	# Set JOURNAL_STREAM as systemd does for a service; systemd-cat of Debian 12 does not set it.
	# shellcheck disable=SC2016
	systemd-cat -t not-hwrngd sh -c 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec hwrngd' &
	check "the loaded module is logged" eventually has_entry 6dd0efdfd1e74575b63820434bec69a1
	check "the states of the source are logged" eventually has_entry 73ac18dc0a1f442dba05ddc99a08b071
	entry=$(entries 6dd0efdfd1e74575b63820434bec69a1)
	check_match "the entry has the identifier of hwrngd" '"SYSLOG_IDENTIFIER":"hwrngd"' "$entry"
	check_match "the entry has a field for the module" '"HWRNGD_MODULE":"cpu_rng"' "$entry"
	check_match "the entry has a priority" '"PRIORITY":"6"' "$entry"
	check_match "the entry has a message" '"MESSAGE":"loaded the module cpu_rng"' "$entry"
	check_match "the states have fields" '"HWRNGD_TO":"starting"' "$(entries 73ac18dc0a1f442dba05ddc99a08b071)"
	echo nonsense >/etc/hwrngd.conf
	kill -HUP "$(printf '%s\n' "$entry" | sed -n 's/.*"_PID":"\([0-9]*\)".*/\1/p')"
	check "a bad configuration is logged" eventually has_entry 13ce096f763347b5b8fd3da36c9b0080
	check_equal "nothing is logged a second time through standard error" "" "$(journalctl --no-pager -q -t not-hwrngd)"
}
