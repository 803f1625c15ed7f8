# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
#
# What phases share, in the guest.

hw_random=/sys/class/misc/hw_random
# What a phase leaves for those after it.
kept=/var/lib/system-test
mkdir -p $kept

# eventually SECONDS COMMAND...: within that time.
eventually() {
	end=$(($(cut -d. -f1 /proc/uptime) + $1))
	shift
	until "$@"; do
		[ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# boot_is_over: all that the boot starts has been started.
boot_is_over() { timeout 120 systemctl is-system-running --wait; }

failed_units() { systemctl --failed --plain --no-legend; }

# errors: what is wrong in the journal of this boot, without times and process numbers.
errors() { journalctl --boot --priority=err --no-pager --quiet --output=cat | sort -u; }

# new_errors: those that Debian did not print without us.
new_errors() { errors | comm -23 - $kept/errors; }

# reached UNIT: milliseconds since the kernel started.
reached() { echo "$(($(systemctl show --value -p ActiveEnterTimestampMonotonic "$1") / 1000))"; }

# took UNIT...: what these cost at boot, for the reader.
took() { systemd-analyze blame --no-pager | grep -E "$(echo "$*" | tr ' ' '|')" | sed 's/^ */    /'; }

tell_lines() {
	while read -r line; do tell "$line"; done
}

# files: all names on the disk, with what a package would set; and what is in /etc.
files() {
	find / -xdev \( -path /run -o -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path $kept \) -prune -o \
		-printf '%p %y %m %u:%g %l\n' | sort
	find /etc -type f -exec sha256sum {} + | sort -k 2
}
