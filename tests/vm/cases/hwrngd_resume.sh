# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd: feeds at once when the machine resumes, when its clock is set, and on a signal"
programs="build/hwrngd build/hwrngctl"
flavours="cloud generic" flavours_why="the daemon has not been tested on the debug kernel yet"
# After a resume, the firmware of q35 does not restore the ACPI registers that are needed to power off.
qemu_options="-machine pc"
timeout=240

# now: prints the time as strace does.
now() { adjtimex | awk '$1 == "time.tv_sec:" { s = $2 } $1 == "time.tv_usec:" { printf "%d.%06d\n", s, $2 }'; }
jumps() { grep -c 'the machine resumed, or its clock was set: feeding at once' "$log"; }
jumped() { [ "$(jumps)" -gt "$1" ]; }
# seconds IOCTL: prints the seconds from $end to the first such call.
seconds() { awk -v begin="$end" -v then="$(since_idle "$1")" 'BEGIN { printf "%.2f", then - begin }'; }

# feeds_after WHAT COMMAND...: runs the command. Checks that the daemon feeds within a second after its end,
# and reseeds, which may take a little longer because of slow sources.
feeds_after() {
	what=$1
	shift
	check "the daemon has nothing to do" idle
	check "$what" "$@"
	end=$(now)
	check "the pool is fed after: $what" eventually is_called RNDADDENTROPY
	check "the CRNG is reseeded after: $what" eventually is_called RNDRESEEDCRNG
	tell "$what: fed $(seconds RNDADDENTROPY) s later, reseeded after $(seconds RNDRESEEDCRNG) s"
	check "the pool is fed within a second after: $what" awk -v s="$(seconds RNDADDENTROPY)" 'BEGIN { exit !(s < 1) }'
}
suspend() {
	echo +5 >/sys/class/rtc/rtc0/wakealarm
	echo mem >/sys/power/state
}

guest() {
	# No modules, because their sources would be fed from as soon as they appear.
	printf '%s\n' 'reseed_interval = 3600' 'modules = []' >/etc/hwrngd.conf
	# With --seccomp-bpf strace stops the daemon only for the calls that it shows.
	start -ttt --seccomp-bpf
	check "the hwrng is healthy" becomes virtio_rng.0 healthy
	check "the TPM is healthy" becomes tpmrm0 healthy
	check_equal "no jump of the clock was noticed" 0 "$(jumps)"

	feeds_after "the machine sleeps" suspend
	check "the log gives the reason" eventually jumped 0
	check_match "the kernel says that the machine slept" 'PM: suspend exit' "$(dmesg)"
	feeds_after "the clock is set" date -s "@$(($(date +%s) + 3600))"
	check "the log gives the reason" eventually jumped 1
	feeds_after "SIGUSR1" kill -USR1 "$daemon"
	check_equal "no other jump was noticed" 2 "$(jumps)"
	kill "$daemon"
	wait "$strace"
	check_equal "the daemon ends with exit code 0" 0 $?
}
