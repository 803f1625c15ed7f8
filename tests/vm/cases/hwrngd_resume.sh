# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd: feeds at once when the machine resumes, its clock is set, or a signal asks"
programs="build/hwrngd build/hwrngctl"
flavours="cloud generic" flavours_why="the daemon was not tried on the debug kernel yet"
# After a resume q35's firmware leaves ACPI without the registers by which it would power off.
qemu_options="-machine pc"
timeout=240

# As strace tells it.
now() { adjtimex | awk '$1 == "time.tv_sec:" { s = $2 } $1 == "time.tv_usec:" { printf "%d.%06d\n", s, $2 }'; }
jumps() { grep -c 'the machine resumed, or its clock was set: feeding at once' "$log"; }
jumped() { [ "$(jumps)" -gt "$1" ]; }
# seconds IOCTL: from $end to the first such call
seconds() { awk -v begin="$end" -v then="$(since_idle "$1")" 'BEGIN { printf "%.2f", then - begin }'; }

# feeds_after WHAT COMMAND...: fresh bytes within a second of the command's end, which sets the clock, and a
# reseed, which waits for slow sources, but not long.
feeds_after() {
	what=$1
	shift
	check "the daemon has nothing to do" idle
	check "$what" "$@"
	end=$(now)
	check "the pool is fed" eventually is_called RNDADDENTROPY
	check "the CRNG is reseeded" eventually is_called RNDRESEEDCRNG
	tell "$what: fed $(seconds RNDADDENTROPY) s later, reseeded after $(seconds RNDRESEEDCRNG) s"
	check "within a second" awk -v s="$(seconds RNDADDENTROPY)" 'BEGIN { exit !(s < 1) }'
}
suspend() {
	echo +5 >/sys/class/rtc/rtc0/wakealarm
	echo mem >/sys/power/state
}

guest() {
	# No modules: what they bring is fed from as it comes.
	printf '%s\n' 'reseed_interval = 3600' 'modules = []' >/etc/hwrngd.conf
	# strace stops the daemon for nothing but what it shows.
	start -ttt --seccomp-bpf
	check "the hwrng is fed from" becomes virtio_rng.0 healthy
	check "and the TPM" becomes tpmrm0 healthy
	check_equal "the clock has not jumped" 0 "$(jumps)"

	feeds_after "the machine sleeps" suspend
	check "the log says why" eventually jumped 0
	check_match "it did sleep" 'PM: suspend exit' "$(dmesg)"
	feeds_after "the clock is set" date -s "@$(($(date +%s) + 3600))"
	check "the log says why" eventually jumped 1
	feeds_after "SIGUSR1" kill -USR1 "$daemon"
	check_equal "no other jump was seen" 2 "$(jumps)"
	kill "$daemon"
	wait "$strace"
	check_equal "it ends with 0" 0 $?
}
