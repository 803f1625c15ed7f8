# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd: feeds within a second after the machine is restored from a snapshot"
programs="build/hwrngd build/hwrngctl"
kernels="6.12 7.3" kernels_why="Debian's older cloud kernels have no driver for vmgenid"
flavours="cloud generic" flavours_why="the daemon has not been tested on the debug kernel yet"
tpm=none # the snapshot does not have its state
qemu_options="-device vmgenid,guid=auto" # a different one in each QEMU
timeout=240

# The file "beats" gets the number of beats before the end of the snapshot.
during() {
	until grep -q "a snapshot now" "$console_log"; do sleep 0.1; done
	echo "migrate \"exec:cat >$snapshot.new && mv $snapshot.new $snapshot\"" >"$monitor.in"
	until [ -e "$snapshot" ]; do sleep 0.1; done
	beats | wc -l >"$dir/beats"
	echo quit >"$monitor.in"
}
# beats: prints the times at which another program in the guest ran.
beats() { tr -d '\r' <"$console_log" | sed -nE 's/^[0-9]+ +([0-9]+\.[0-9]+) (write\(|\+\+\+).*/\1/p'; }
beat() { beats | sed -n "$(($(cat "$dir/beats") + $1))p"; }

is_clone() { dmesg | grep -q 'crng reseeded due to virtual machine fork'; }
is_told() { grep -q 'this machine is now a clone of another: feeding at once' "$log"; }

guest() {
	# No modules, because their sources would be fed from as soon as they appear.
	printf '%s\n' 'reseed_interval = 3600' 'modules = []' >/etc/hwrngd.conf
	# With --seccomp-bpf strace stops the daemon only for the calls that it shows.
	start -ttt --seccomp-bpf
	check "the hwrng is healthy" becomes virtio_rng.0 healthy
	check "the daemon has nothing to do" idle
	# It uses the same clock as the daemon's strace.
	strace -f -ttt --seccomp-bpf -e trace=write -o /dev/console sh -c 'while ! [ -e /tmp/told ]; do echo beat; usleep 100000; done' >/dev/null &
	echo "a snapshot now" >/dev/console
	check "the kernel notices that it is a clone" eventually is_clone
	: >/tmp/told
	check "the daemon notices it" eventually is_told
	check "the daemon feeds" eventually is_called RNDADDENTROPY
	check "the daemon reseeds" eventually is_called RNDRESEEDCRNG
	diag "fed at: $(since_idle RNDADDENTROPY)"
	diag "reseeded at: $(since_idle RNDRESEEDCRNG)"
	kill "$daemon"
	wait "$strace"
	check_equal "the daemon ends with exit code 0" 0 $?
}

# since TIME WHAT: prints the seconds from TIME to the event WHAT, which the guest reported.
since() {
	tr -d '\r' <"$ktap_log" | awk -v begin="$1" -v what="# $2 at: " '
		index($0, what) == 1 && NF == 4 { printf "%.2f\n", $4 - begin }'
}
after() {
	tell "fed $(since "$(beat 0)" fed) s after the snapshot, reseeded after $(since "$(beat 0)" reseeded) s"
	# On a busy host a restored guest starts slowly, and its clock runs meanwhile.
	fed=$(since "$(beat 1)" fed)
	tell "fed $fed s after another program ran again"
	check "the daemon feeds within a second" awk -v s="${fed:-never}" -v most="${HWRNGD_TIME_FACTOR:-1}" \
		'BEGIN { exit !(s + 0 == s && s < most) }'
}
