# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC3045
#
# For cases that run the daemon ("programs" has build/hwrngd): in the guest, before the case.

hw_random=/sys/class/misc/hw_random
log=/tmp/hwrngd.log
# start: the daemon as $daemon, its helper as $helper, its ioctls in /tmp/ioctl by $strace, which ends
# with its exit code, and what it says in $log.
start() {
	rm -f /tmp/ioctl
	ulimit -c unlimited
	strace -f -e trace=ioctl -o /tmp/ioctl hwrngd >>$log 2>&1 &
	strace=$!
	daemon=
	for _ in $(seq 100); do
		daemon=$(hwrngctl status | sed -n 's/^Daemon .*(pid \([0-9]*\).*/\1/p')
		[ ! "$daemon" ] || break
		usleep 100000
	done
	helper=$(grep -lx "PPid:.$daemon" /proc/[0-9]*/status | cut -d/ -f3)
}

source_line() { hwrngctl status | sed -n "s/^ *$1: //p"; }
state() { source_line "$1" | sed 's/,.*//'; }
credited() { source_line "$1" | sed -E 's/.*, ([0-9]+) bits credited.*/\1/'; }
fed() { grep -c RNDADDENTROPY /tmp/ioctl; }

# becomes SOURCE STATE [TENTHS]
becomes() {
	for _ in $(seq "${3:-300}"); do
		[ "$(state "$1")" != "$2" ] || return 0
		usleep 100000
	done
	hwrngctl status
	tail -n 5 $log
	false
}
# eventually COMMAND...: within 30 s
eventually() {
	for _ in $(seq 1500); do
		! "$@" >/dev/null 2>&1 || return 0
		usleep 20000
	done
	"$@"
}
fed_more_than() { [ "$(fed)" -gt "$1" ]; }
more_fed() { eventually fed_more_than "$(fed)"; }
current_is() { [ "$(cat $hw_random/rng_current)" = "$1" ]; }
