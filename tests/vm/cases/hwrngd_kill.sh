# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154,SC3045
description="hwrngd: after each of 200 kills at random moments, the next start restores order"
programs="build/hwrngd build/hwrngctl"
flavours="cloud generic" flavours_why="the daemon has not been tested on the debug kernel yet"
long=1
timeout=1500

rounds=200
conf=/etc/hwrngd.conf

processes() { grep -lx "$1" /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3; }
count_is() { [ "$(processes "$1" | wc -l)" -eq "$2" ]; }
is_dead() { ! grep -q '^State:.[^Z]' "/proc/$daemon/status" 2>/dev/null; }
is_loaded() { grep -q "^$1 " /proc/modules; }
leaves() { [ "$(find /run/hwrngd -type "$1" | sort | xargs)" = "$2" ]; }
is_answered() { hwrngctl status | grep -q "pid $daemon)"; }
configure() {
	printf '%s\n' 'reseed_interval = 0.1' 'prefer = ["cpu_rng.rdrand"]' "probe_interval = $1" \
		'modules = ["tpm_rng", "cpu_rng"]' >$conf
}

# in_order: succeeds if everything is as configured, as with a daemon that was never killed.
in_order() {
	eventually is_answered || { echo "no answer"; return 1; }
	eventually is_loaded cpu_rng || { echo "cpu_rng is not loaded"; return 1; }
	eventually is_loaded tpm_rng || { echo "tpm_rng is not loaded"; return 1; }
	eventually current_is cpu_rng.rdrand || { echo "rng_current: $(cat "$hw_random/rng_current")"; return 1; }
	eventually leaves f "/run/hwrngd/chosen /run/hwrngd/lock" || { ls -l /run/hwrngd; return 1; }
	eventually leaves s /run/hwrngd/status || { ls -l /run/hwrngd; return 1; }
	eventually count_is hwrngd 1 || { ps; return 1; }
	eventually count_is hwrngd-helper 1 || { ps; return 1; }
	current_is cpu_rng.rdrand || { echo "rng_current moved: $(cat "$hw_random/rng_current")"; return 1; }
	[ ! -e /tmp/core ] || { echo "a core was left"; return 1; }
}

# kill_one ROUND: kills the daemon, or also its helper, or only the helper, after which the daemon ends. Sets
# $status to the daemon's exit code, and $expected to the right one.
kill_one() {
	helper=$(processes hwrngd-helper | head -n 1)
	expected=137
	case $(($1 % 5)).$helper in
	0.[0-9]*) kill -KILL "$daemon" "$helper" ;;
	1.[0-9]*)
		kill -KILL "$helper"
		expected=5
		eventually is_dead || kill -KILL "$daemon"
		;;
	*) kill -KILL "$daemon" ;;
	esac
	status=0
	wait "$daemon" || status=$?
}

guest() {
	echo /tmp/core >/proc/sys/kernel/core_pattern
	ulimit -c unlimited
	probes=0
	configure 1
	for round in $(seq $rounds); do
		hwrngd >>"$log" 2>&1 &
		daemon=$!
		usleep "$(awk -v seed="$round" 'BEGIN { srand(seed); print int(rand() * 1500000) }')"
		kill_one "$round"
		[ "$status" -eq "$expected" ] || check_equal "round $round: the exit code of the daemon" "$expected" "$status"
		# Check at once after a kill during a probe, because the next probe would also restore order.
		if [ -e /run/hwrngd/probe ]; then
			probes=$((probes + 1))
		elif [ $((round % 20)) -ne 0 ]; then
			continue
		fi
		configure 0
		hwrngd >>"$log" 2>&1 &
		daemon=$!
		check "after $round kills, $probes of them during a probe, everything is in order" in_order
		kill -KILL "$daemon"
		wait "$daemon"
		# So that one of the next rounds loads it again.
		rmmod cpu_rng
		configure 1
	done
	tell "$probes of $rounds kills (seeds 1 to $rounds) happened during a probe"
	if [ -e "$hw_random/rng_quality" ]; then
		check "some kills happened during a probe" test "$probes" -gt 0
	else
		skip "some kills happened during a probe" "this kernel can hang in a switch"
	fi
	check "no helper is left running" eventually count_is hwrngd-helper 0
	check_equal "no core was left" "" "$(ls /tmp/core* 2>/dev/null)"
	diag "$(sort "$log" | uniq -c | sort -rn | head -n 40)"
}
