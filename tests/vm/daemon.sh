# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154,SC3045
#
# For cases that run the daemon ("programs" has build/hwrngd): in the guest, before the case.

hw_random=/sys/class/misc/hw_random
log=/tmp/hwrngd.log
# start [STRACE_OPTION...]: the daemon as $daemon, its helper as $helper, its ioctls in /tmp/ioctl by
# $strace, which ends with its exit code, and what it says in $log.
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

# What the status' table has of a source, if the daemon uses it.
state() { hwrngctl status | awk -v name="$1" '$1 == name && $4 ~ /hwrngd/ { print $5 }'; }
credited() { hwrngctl status | awk -v name="$1" '$1 == name && $4 ~ /hwrngd/ { print $NF }'; }
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
# poll TIMES MICROSECONDS COMMAND...: until it succeeds.
poll() {
	times=$1 pause=$2
	shift 2
	for _ in $(seq "$times"); do
		! "$@" >/dev/null 2>&1 || return 0
		usleep "$pause"
	done
	"$@"
}
# eventually COMMAND...: within 30 s, soon after it is so
eventually() { poll 1500 20000 "$@"; }
fed_more_than() { [ "$(fed)" -gt "$1" ]; }
more_fed() { eventually fed_more_than "$(fed)"; }
# idle: the daemon has fed, and has left it at that for 5 s; /tmp/ioctl has $calls lines then.
idle() {
	for _ in $(seq 30); do
		calls=$(wc -l </tmp/ioctl)
		sleep 5
		[ "$(fed)" -eq 0 ] || [ "$calls" -ne "$(wc -l </tmp/ioctl)" ] || return 0
	done
	false
}
# since_idle IOCTL: the first such call since then, by "start -ttt"
since_idle() { awk -v calls="$calls" -v what="$1" 'NR > calls && index($0, what) { print $2; exit }' /tmp/ioctl; }
is_called() { [ "$(since_idle "$1")" ]; }
current_is() { [ "$(cat $hw_random/rng_current)" = "$1" ]; }

# ---- for cases about sick sources ----
# The trace has the feeds and what the daemon logs in their order. Whose bytes a feed had tells its
# credit: healthy sources, such as $well, have "credit = 1024" in the configuration, others less.

# by_and_by COMMAND...: seldom tried, since a busy guest may hardly do more than poll.
by_and_by() { poll 200 450000 "$@"; }
stepped() { grep -q "^hwrngd: $1: $2, was" "$log"; }
healthy_again() { [ "$(grep -c "^hwrngd: $1: healthy, was" "$log")" -ge 2 ]; }
# of SOURCE EXPRESSION [DOCUMENT]: what jq finds below that source in the status.
of() { printf '%s' "${3:-$(hwrngctl -o json status)}" | jq -r --arg name "$1" ".daemon.sources[] | select(.name == \$name) | $2"; }
path_of() { of "$1" '.path | map(.to) | join(" ")' "$2"; }
credited_in_all() { hwrngctl -o json status | jq '[.daemon.sources[].credited_bits] | add'; }
# traced_in_all: what the kernel had been told when the daemon sent its last status.
traced_in_all() {
	awk '
		/RNDADDENTROPY/ && !/= -1/ { split($0, part, /entropy_count=|, buf_size=/); sum += part[2] }
		/send(to|msg)\(.*schema/ { then = sum }
		END { printf "%d", then }' /tmp/ioctl
}

# begin SOURCE...: a daemon that knows nothing of what was; the sources are healthy.
begin() {
	: >$log
	# Other system calls shall cost nothing; each that stops takes milliseconds in an emulated guest.
	start --seccomp-bpf -ttt -s 64 -e trace=ioctl,write,sendto,sendmsg
	for begun; do
		by_and_by stepped "$begun" healthy || return
	done
}

# since_asked SOURCE: leaves of the trace from line $asked on how many feeds had less credit
# ($others_fed), and how many of these came while SOURCE was not healthy ($wrong); how many healthy ones
# came then ($well_fed), and the longest time in ms without one ($hunger).
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

# falls SOURCE KIND STATE REASON: it is asked for this fault, and gets to this state for this reason;
# $well is fed all the time.
falls() {
	what="$1, $2"
	asked=$(wc -l </tmp/ioctl)
	ask "$1" "$2"
	check "$what: $3" by_and_by stepped "$1" "$3"
	is_left "$1" "$3" "$4"
}

# goes SOURCE COMMAND...: by this it vanishes.
goes() {
	gone=$1
	shift
	what="$gone is gone"
	asked=$(wc -l </tmp/ioctl)
	"$@"
	check "$what" by_and_by stepped "$gone" absent
}

# bears SOURCE KIND: it is asked for this fault, which is none for the daemon.
bears() {
	what="$1, $2"
	asked=$(wc -l </tmp/ioctl)
	ask "$1" "$2"
	check "$what: it is fed from" by_and_by others_are_fed "$1"
	check_match "$what: it is healthy" '^starting healthy( suspect healthy)?$' "$(path_of "$1" "$(hwrngctl -o json status)")"
	check "$what: $well was never hungry for 5 s, but for $hunger ms" test "$hunger" -lt 5000
}

# is_left SOURCE STATE REASON: it is in this state since line $asked. (Who vanishes may first fail.)
is_left() {
	before=$(of "$1" .credited_bits)
	check "$what: $well is fed" by_and_by well_is_fed "$1"
	document=$(hwrngctl -o json status)
	since_asked "$1"
	check_equal "$what: nothing but it" 0 "$wrong"
	check "$what: never hungry for 5 s, but for $hunger ms" test "$hunger" -lt 5000
	check_equal "$what: no more credit" "$before" "$(of "$1" .credited_bits "$document")"
	check_match "$what: its path" "^starting healthy (suspect healthy )*(suspect )?(quarantined )?$2" "$(path_of "$1" "$document")"
	check_match "$what: and why" "$3" "$(of "$1" "[.path[] | select(.to == \"$2\")][0].reason" "$document")"
	check "$what: the daemon lives" kill -0 "$daemon"
}

# stop: the kernel was told what the status says, and the daemon ends.
stop() {
	told=$(credited_in_all)
	check "something was credited" test "$told" -gt 0
	check_equal "the status says what the kernel was told" "$(traced_in_all)" "$told"
	kill "$daemon"
	wait "$strace"
	check_equal "the daemon ends in order" 0 $?
	diag "$(cat $log)"
}
