# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="other machines are sources, through EGD and SSH"
from=egd
timeout=600

# of SOURCE FILTER: applies a jq filter to a source in the status. is SOURCE FILTER VALUE: compares the result.
of() { daemon_says ".sources[] | select(.name == \"$1\") | $2"; }
is() { [ "$(of "$1" "$2")" = "$3" ]; }
has_read() { [ "$(of "$1" .bytes_read)" -gt 0 ]; }
told() { journalctl --boot --no-pager --unit=hwrngd-helper@* --unit=hwrngd.service --grep="$1" --output=cat; }
askers() { pgrep -a 'hwrngd-pull|^ssh$'; }
none_asks() { [ -z "$(askers)" ]; }

guest() {
	check "the boot is over" boot_is_over
	# This machine is also the other machine: the EGD server, sshd and the connections are real.
	check "apt installs sshd" apt-get -qq install openssh-server
	: >/etc/default/locale # Debian's installer writes it, and sshd's PAM needs it
	# Ignore the errors that systemd logs for an sshd on a machine without vsock.
	systemctl daemon-reload
	journalctl --sync
	errors >>"$kept/errors"
	sort -u -o "$kept/errors" "$kept/errors"
	check "ssh-setup client succeeds" hwrngctl ssh-setup client hwrngd-ssh@127.0.0.1 --source host --host-key /etc/ssh/ssh_host_ed25519_key.pub
	check "ssh-setup host succeeds" hwrngctl ssh-setup host guest --key /etc/hwrngd/ssh/identity.pub
	hwrngctl ssh-setup client hwrngd-ssh@127.0.0.1 --source host --output=json | jq -r .configuration >/etc/hwrngd.conf.d/host.conf
	printf '%s\n' '[source."upstairs"]' 'egd = "tcp:127.0.0.1:8888"' >/etc/hwrngd.conf.d/upstairs.conf
	check "the daemon reads its configuration again" systemctl reload hwrngd
	for source in upstairs host; do
		check "$source: becomes healthy" eventually 90 is "$source" .state healthy
		check "$source: returns bytes" eventually 90 has_read "$source"
		check_equal "$source: has no credit" 0 "$(of "$source" .credited_bits)"
		tell "$(daemon_says ".sources[] | select(.name == \"$source\")" | tr -d '\n ')"
	done
	askers | tell_lines
	for pid in $(pgrep hwrngd-pull); do
		check_match "hwrngd-pull runs as the daemon's user" "Uid:( $(id -u hwrngd)){4}" "$(tr '\t' ' ' <"/proc/$pid/status")"
		check_match "hwrngd-pull has no capabilities" 'CapPrm: 0000000000000000' "$(tr '\t' ' ' <"/proc/$pid/status")"
	done
	check_equal "no unit has failed" "" "$(failed_units)"
	check_equal "the journal has no new errors" "" "$(new_errors)"

	systemctl stop ssh.service
	pkill -f '^sshd.*hwrngd-ssh'
	check "host: the log says that the connection is refused" eventually 120 told 'host: ssh hwrngd-ssh@127.0.0.1: .*Connection refused'
	check "host: becomes quarantined" eventually 120 is host .state quarantined
	check "upstairs: stays healthy" is upstairs .state healthy
	check "sshd starts again" systemctl start ssh.service
	check "host: becomes healthy by itself" eventually 180 is host .state healthy

	check "the daemon stops" systemctl stop hwrngd
	check "its client processes end with it" eventually 20 none_asks
	askers | tell_lines
	check_equal "nothing is left in /tmp" "" "$(find /tmp /var/tmp -name '*hwrngd*')"
}
