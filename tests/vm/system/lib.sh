# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
#
# Functions shared by the phases, in the guest.

hw_random=/sys/class/misc/hw_random
# Files that a phase leaves for later phases.
kept=/var/lib/system-test
mkdir -p $kept

# eventually SECONDS COMMAND...: runs it until it succeeds, for up to SECONDS.
eventually() {
	end=$(($(cut -d. -f1 /proc/uptime) + $1))
	shift
	until "$@"; do
		[ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# boot_is_over: waits until the boot has started all units, and fails if a unit failed.
boot_is_over() { timeout 120 systemctl is-system-running --wait; }

failed_units() { systemctl --failed --plain --no-legend; }

# errors: prints the errors in the journal of this boot, without times and process ids. It omits a message of
# Debian 11 that sometimes appears when two udev workers load acpi_cpufreq at the same time.
errors() { journalctl --boot --priority=err --no-pager --quiet --output=cat | grep -v "/sys/module/acpi_cpufreq/initstate'" | sort -u; }

# new_errors: prints the errors that did not appear before our packages were installed.
new_errors() { errors | comm -23 - $kept/errors; }

# reached UNIT: prints when it became active, in milliseconds since the start of the kernel.
reached() { echo "$(($(systemctl show --value -p ActiveEnterTimestampMonotonic "$1") / 1000))"; }

# took UNIT...: prints how long these units took at boot.
took() { systemd-analyze blame --no-pager | grep -E "$(echo "$*" | tr ' ' '|')" | sed 's/^ */    /'; }

# cpu_of SERVICE: tells its CPU time so far, including systemd's work before it is executed.
cpu_of() { tell "$1.service has used $(($(systemctl show --value -p CPUUsageNSec "$1.service") / 1000000)) ms of CPU"; }

tell_lines() {
	while read -r line; do tell "$line"; done
}

# files: prints the names of all files on the disk with their attributes, and the checksums of those in /etc.
files() {
	find / -xdev \( -path /run -o -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path $kept \) -prune -o \
		-printf '%p %y %m %u:%g %l\n' | sort
	find /etc -type f -exec sha256sum {} + | sort -k 2
}

# accounts: prints the names of users and groups.
accounts() { { getent passwd | sed 's/^/u: /'; getent group | sed 's/^/g: /'; } | sed 's/\(.: [^:]*\):.*/\1/' | sort; }

# installed: prints the installed packages, with their sizes in KiB.
installed() { dpkg-query -W -f='${db:Status-Abbrev}${Package} ${Installed-Size}\n' | sed -n 's/^ii *//p' | sort; }

# check_modules [RELEASE]: checks that DKMS has built and installed both modules for that kernel.
check_modules() {
	release=${1:-$(uname -r)}
	check_match "DKMS has both modules for $release" "^hwrngd[/,].*$(echo "$release" | sed 's/[.+]/\\&/g').*: installed" \
		"$(dkms status -k "$release")"
	for module in tpm_rng cpu_rng; do
		check_match "modprobe would find $module" "/updates/dkms/$module\.ko" "$(modinfo -k "$release" -F filename "$module" 2>&1)"
	done
}

# check_loaded: checks that tpm_rng is loaded, and cpu_rng is not, because nobody asked for it.
check_loaded() {
	check "tpm_rng is loaded" eventually 30 test -d /sys/module/tpm_rng
	check "cpu_rng is not loaded by itself" test ! -d /sys/module/cpu_rng
}

current_is() {
	# $1 is a pattern.
	# shellcheck disable=SC2254
	case $(cat "$hw_random/rng_current") in $1) ;; *) false ;; esac
}

# daemon_says FILTER: applies a jq filter to the daemon's status.
daemon_says() { hwrngctl status --output=json | jq -r ".daemon | $1"; }
has_fed() { [ "$(daemon_says '.feeds > 0')" = true ]; }
fed_from() { daemon_says '[.sources[] | select(.bytes_fed > 0) | .name] | join(" ")'; }
feeds_from() { daemon_says '.sources[] | select(.bytes_fed > 0) | .name' | grep -qx "$1"; }

# served KIND OPTION ADDRESS: prints how many bytes an EGD client gets there when it asks for 32.
served() {
	perl -MIO::Socket::"$1" -e '
		my $socket = IO::Socket::'"$1"'->new(@ARGV) or die "$!";
		syswrite $socket, "\x02\x20" or die "$!";
		my $bytes = "";
		alarm 60;
		while (length $bytes < 32) { sysread $socket, $bytes, 32 - length $bytes, length $bytes or die "$!" }
		print "$bytes"' "$2" "$3" | wc -c
}

# check_clients: checks that clients are served at each kind of address.
check_clients() {
	check_equal "a client is served through IPv4" 32 "$(served IP PeerAddr 127.0.0.1:8888)"
	check_equal "a client is served through IPv6" 32 "$(served IP PeerAddr '[::1]:8888')"
	check_equal "a client is served through the socket that systemd opened" 32 "$(served UNIX Peer /run/hwrngd-egd)"
	check_equal "a client is served through the socket that hwrngd opened" 32 "$(served UNIX Peer /run/hwrngd/egd)"
}
