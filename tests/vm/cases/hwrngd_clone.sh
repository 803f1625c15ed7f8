# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngd: feeds within a second in a machine that is restored from a snapshot"
programs="build/hwrngd build/hwrngctl"
kernels="6.12 7.3" kernels_why="Debian's older cloud kernels have no driver of vmgenid"
flavours="cloud generic" flavours_why="the daemon was not tried on the debug kernel yet"
tpm=none # its state is not in the snapshot
qemu_options="-device vmgenid,guid=auto" # another one in each QEMU
timeout=240

# What the guest has said before the snapshot ends when QEMU has written it.
during() {
	until grep -q "a snapshot now" "$console_log"; do sleep 0.1; done
	echo "migrate \"exec:cat >$snapshot.new && mv $snapshot.new $snapshot\"" >"$monitor.in"
	until [ -e "$snapshot" ]; do sleep 0.1; done
	beats | wc -l >"$dir/beats"
	echo quit >"$monitor.in"
}
# When something ran in the guest that has nothing to do with the daemon.
beats() { tr -d '\r' <"$console_log" | sed -nE 's/^[0-9]+ +([0-9]+\.[0-9]+) (write\(|\+\+\+).*/\1/p'; }
beat() { beats | sed -n "$(($(cat "$dir/beats") + $1))p"; }

is_clone() { dmesg | grep -q 'crng reseeded due to virtual machine fork'; }
is_told() { grep -q 'this machine is a clone of another now: feeding at once' "$log"; }

guest() {
	# No modules: what they bring is fed from as it comes.
	printf '%s\n' 'reseed_interval = 3600' 'modules = []' >/etc/hwrngd.conf
	# strace stops the daemon for nothing but what it shows.
	start -ttt --seccomp-bpf
	check "the hwrng is fed from" becomes virtio_rng.0 healthy
	check "the daemon has nothing to do" idle
	# Its clock is that of the daemon's strace.
	strace -f -ttt --seccomp-bpf -e trace=write -o /dev/console sh -c 'while ! [ -e /tmp/told ]; do echo beat; usleep 100000; done' >/dev/null &
	echo "a snapshot now" >/dev/console
	check "the kernel sees that it is a clone" eventually is_clone
	: >/tmp/told
	check "so does the daemon" eventually is_told
	check "it feeds" eventually is_called RNDADDENTROPY
	check "and reseeds" eventually is_called RNDRESEEDCRNG
	diag "fed at: $(since_idle RNDADDENTROPY)"
	diag "reseeded at: $(since_idle RNDRESEEDCRNG)"
	kill "$daemon"
	wait "$strace"
	check_equal "it ends with 0" 0 $?
}

# since TIME WHAT: seconds from then to what the guest told.
since() {
	tr -d '\r' <"$ktap_log" | awk -v begin="$1" -v what="# $2 at: " '
		index($0, what) == 1 && NF == 4 { printf "%.2f\n", $4 - begin }'
}
after() {
	tell "fed $(since "$(beat 0)" fed) s after the snapshot, reseeded after $(since "$(beat 0)" reseeded) s"
	# On a busy host a guest comes to life slowly, and its clock goes on.
	fed=$(since "$(beat 1)" fed)
	tell "fed $fed s after another program ran again"
	check "within a second" awk -v s="${fed:-never}" -v most="${HWRNGD_TIME_FACTOR:-1}" \
		'BEGIN { exit !(s + 0 == s && s < most) }'
}
