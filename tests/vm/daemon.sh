# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154,SC3045
#
# Functions for cases that run the daemon. They come before the case's own if "programs" has build/hwrngd.

hw_random=/sys/class/misc/hw_random
log=/tmp/hwrngd.log
# start [STRACE_OPTION...]: starts the daemon under strace. $daemon and $helper are the process ids of the
# daemon and its helper. $strace is the id of strace, which ends with the daemon's exit code and writes the
# ioctls to /tmp/ioctl. The daemon's messages are in $log.
start() {
	rm -f /tmp/ioctl
	ulimit -c unlimited
	strace -f -e trace=ioctl "$@" -o /tmp/ioctl hwrngd >>$log 2>&1 &
	strace=$!
	started
}
# started: waits until the daemon answers.
started() {
	daemon=
	for _ in $(seq 100); do
		daemon=$(hwrngctl status | sed -n 's/^Daemon .*(pid \([0-9]*\).*/\1/p')
		[ ! "$daemon" ] || break
		usleep 100000
	done
	helper=$(grep -lx "PPid:.$daemon" /proc/[0-9]*/status | cut -d/ -f3)
}

# state SOURCE, credited SOURCE: its state and credited bits in the table of status, if the daemon uses it.
state() { hwrngctl status | awk -v name="$1" '$1 == name && $4 ~ /hwrngd/ { print $5 }'; }
credited() { hwrngctl status | awk -v name="$1" '$1 == name && $4 ~ /hwrngd/ { print $NF }'; }
fed() { grep -c RNDADDENTROPY /tmp/ioctl; }

# becomes SOURCE STATE [TENTHS]: waits for this state, up to TENTHS tenths of a second (default 300).
becomes() {
	for _ in $(seq "${3:-300}"); do
		[ "$(state "$1")" != "$2" ] || return 0
		usleep 100000
	done
	hwrngctl status
	tail -n 5 $log
	false
}
# poll TIMES MICROSECONDS COMMAND...: runs it up to TIMES times, until it succeeds.
poll() {
	times=$1 pause=$2
	shift 2
	for _ in $(seq "$times"); do
		! "$@" >/dev/null 2>&1 || return 0
		usleep "$pause"
	done
	"$@"
}
# eventually COMMAND...: polls it often, for up to 30 s.
eventually() { poll 1500 20000 "$@"; }
fed_more_than() { [ "$(fed)" -gt "$1" ]; }
more_fed() { eventually fed_more_than "$(fed)"; }
# idle: waits until the daemon has fed and then made no ioctl for 5 s. $calls is then the number of lines of
# /tmp/ioctl.
idle() {
	for _ in $(seq 30); do
		calls=$(wc -l </tmp/ioctl)
		sleep 5
		[ "$(fed)" -eq 0 ] || [ "$calls" -ne "$(wc -l </tmp/ioctl)" ] || return 0
	done
	false
}
# since_idle IOCTL: prints the time of the first such call after idle; needs "start -ttt".
since_idle() { awk -v calls="$calls" -v what="$1" 'NR > calls && index($0, what) { print $2; exit }' /tmp/ioctl; }
is_called() { [ "$(since_idle "$1")" ]; }
current_is() { [ "$(cat $hw_random/rng_current)" = "$1" ]; }

# ---- for cases about sick sources ----
# The trace has the feeds and the daemon's log messages in their order. The credit of a feed shows whose
# bytes it had: the healthy source $well has "credit = 1024" in the configuration, other sources have less.

# by_and_by COMMAND...: polls it rarely, for up to 90 s, because polling takes much of a slow guest's time.
by_and_by() { poll 200 450000 "$@"; }
stepped() { grep -q "^hwrngd: $1: $2, was" "$log"; }
healthy_again() { [ "$(grep -c "^hwrngd: $1: healthy, was" "$log")" -ge 2 ]; }
# of SOURCE EXPRESSION [DOCUMENT]: evaluates a jq expression on that source's object in the status.
of() { printf '%s' "${3:-$(hwrngctl -o json status)}" | jq -r --arg name "$1" ".daemon.sources[] | select(.name == \$name) | $2"; }
path_of() { of "$1" '.path | map(.to) | join(" ")' "$2"; }
credited_in_all() { hwrngctl -o json status | jq '[.daemon.sources[].credited_bits] | add'; }
# traced_in_all: prints the sum of the credits of all feeds before the daemon sent its last status.
traced_in_all() {
	awk '
		/RNDADDENTROPY/ && !/= -1/ { split($0, part, /entropy_count=|, buf_size=/); sum += part[2] }
		/send(to|msg)\(.*schema/ { then = sum }
		END { printf "%d", then }' /tmp/ioctl
}

# begin SOURCE...: starts a daemon with an empty log, and waits until these sources are healthy.
begin() {
	: >$log
	# --seccomp-bpf: strace does not stop other system calls, as a stop takes milliseconds in an emulated guest.
	start --seccomp-bpf -ttt -s 64 -e trace=ioctl,write,sendto,sendmsg
	for begun; do
		by_and_by stepped "$begun" healthy || return
	done
}

# since_asked SOURCE: evaluates the trace from line $asked on. It sets
#	$others_fed	the number of feeds with less credit, so not from $well
#	$wrong		the number of these while SOURCE was not healthy
#	$well_fed	the number of feeds from $well while SOURCE was not healthy
#	$hunger		the longest time in ms without a feed from $well
since_asked() {
	tail -n "+$asked" /tmp/ioctl | awk -v step="\"hwrngd: $1: " '
		!last { last = $2 }
		index($0, step) { sick = !index($0, step "healthy") }
		/RNDADDENTROPY/ && !/= -1/ {
			split($0, part, /entropy_count=|, buf_size=|, buf=/)
			if (part[2] < 8 * part[3]) {
				others++
				wrong += sick
				next
			}
			well += sick
			if ($2 - last > hunger) hunger = $2 - last
			last = $2
		}
		END {
			if ($2 - last > hunger) hunger = $2 - last
			printf "%d %d %d %d\n", others, wrong, well, hunger * 1000
		}' >/tmp/since
	read -r others_fed wrong well_fed hunger </tmp/since
}
well_is_fed() { since_asked "$1" && [ "$well_fed" -ge 3 ]; }
others_are_fed() { since_asked "$1" && [ "$others_fed" -ge 20 ]; }

# falls SOURCE KIND STATE REASON: makes the source have this fault. Checks that it gets to this state for
# this reason, while the daemon always feeds from $well.
falls() {
	what="$1, $2"
	asked=$(wc -l </tmp/ioctl)
	ask "$1" "$2"
	check "$what: $3" by_and_by stepped "$1" "$3"
	is_left "$1" "$3" "$4"
}

# goes SOURCE COMMAND...: runs the command, which removes the source. Checks that the daemon notices.
goes() {
	gone=$1
	shift
	what="$gone is removed"
	asked=$(wc -l </tmp/ioctl)
	"$@"
	check "$what: it is absent" by_and_by stepped "$gone" absent
}

# bears SOURCE KIND: makes the source have this fault. Checks that the daemon tolerates it.
bears() {
	what="$1, $2"
	asked=$(wc -l </tmp/ioctl)
	ask "$1" "$2"
	check "$what: the daemon feeds from it" by_and_by others_are_fed "$1"
	check_match "$what: the source stays healthy" '^starting healthy( suspect healthy)?$' "$(path_of "$1" "$(hwrngctl -o json status)")"
	check "$what: feeds from $well are less than 5 s apart (longest pause $hunger ms)" test "$hunger" -lt 5000
}

# is_left SOURCE STATE REASON: checks that it got to this state after line $asked of the trace, and that the
# daemon no longer uses it. (A source that is removed may first become quarantined.)
is_left() {
	before=$(of "$1" .credited_bits)
	check "$what: the daemon feeds from $well" by_and_by well_is_fed "$1"
	document=$(hwrngctl -o json status)
	since_asked "$1"
	check_equal "$what: the daemon feeds from no other source" 0 "$wrong"
	check "$what: feeds from $well are less than 5 s apart (longest pause $hunger ms)" test "$hunger" -lt 5000
	check_equal "$what: it gets no more credit" "$before" "$(of "$1" .credited_bits "$document")"
	check_match "$what: the status shows its states" "^starting healthy (suspect healthy )*(suspect )?(quarantined )?$2" "$(path_of "$1" "$document")"
	check_match "$what: the status shows the reason" "$3" "$(of "$1" "[.path[] | select(.to == \"$2\")][0].reason" "$document")"
	check "$what: the daemon still runs" kill -0 "$daemon"
}

# stop: checks that the kernel was told as much credit as the status says, and ends the daemon.
stop() {
	told=$(credited_in_all)
	check "something was credited" test "$told" -gt 0
	check_equal "the status shows the credit that the kernel was told" "$(traced_in_all)" "$told"
	kill "$daemon"
	wait "$strace"
	check_equal "the daemon ends with exit code 0" 0 $?
	diag "$(cat $log)"
}
