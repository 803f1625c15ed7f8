#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # the functions are called by "ok"
#
# Tests the files below /sys/class/misc/hw_random, and how they differ between kernels. Run it as
# root, in a guest with virtio-rng and a CPU with RDRAND.

dir=/sys/class/misc/hw_random
count=0
failed=0

# ok NAME COMMAND...
ok() {
	name=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count $name"
	else
		failed=$((failed + 1))
		echo "not ok $count $name"
		echo "# $*"
	fi
}
skip() {
	count=$((count + 1))
	echo "ok $count $1 # SKIP $2"
}
equal() { [ "$1" = "$2" ] || ! echo "# \"$2\" instead of \"$1\""; }

# since MAJOR MINOR: succeeds if this kernel has at least this version.
since() {
	release=$(uname -r)
	minor=${release#*.}
	minor=${minor%%[!0-9]*}
	[ "${release%%.*}" -gt "$1" ] || { [ "${release%%.*}" -eq "$1" ] && [ "$minor" -ge "$2" ]; }
}

show() { cat "$dir/$1" 2>/dev/null; }
available() { show rng_available | tr ' ' '\n' | grep -qx "$1"; }
unavailable() { ! available "$1"; }
# write FILE TEXT: in one write(), and without adding a newline.
write() { printf '%b' "$2" 2>/dev/null >"$dir/$1"; }
refused() { ! write "$@" 2>/dev/null; }
as_user() { setpriv --reuid=1000 --regid=1000 --clear-groups "$@"; }
user_may_not_write() { ! as_user sh -c "echo $2 >$dir/$1" 2>/dev/null; }

echo "TAP version 13"

ok "virtio_rng.0 is available" available virtio_rng.0
ok "virtio_rng.0 is current" equal virtio_rng.0 "$(show rng_current)"
ok "the kernel chose the current source" equal 0 "$(show rng_selected)"
ok "cpu_rng loads" modprobe cpu_rng
ok "the source of cpu_rng is available" available cpu_rng.rdrand
ok "virtio_rng.0 stays current, because cpu_rng has a lower quality" equal virtio_rng.0 "$(show rng_current)"

ok "the source of cpu_rng can be selected" write rng_current cpu_rng.rdrand
ok "rng_current shows the selected source" equal cpu_rng.rdrand "$(show rng_current)"
ok "rng_selected shows that it was selected" equal 1 "$(show rng_selected)"
ok "a name with a newline is accepted" write rng_current 'virtio_rng.0\n'
ok "rng_current shows it without the newline" equal virtio_rng.0 "$(show rng_current)"

# Up to 6.12 an unknown name has no effect, but is no error.
if since 7 0; then
	ok "an unknown name is refused" refused rng_current nonsense
else
	ok "an unknown name is ignored" write rng_current nonsense
fi
ok "an unknown name changes nothing" equal virtio_rng.0 "$(show rng_current)"
ok "a part of a name is not accepted" equal "virtio_rng.0" "$(write rng_current cpu_rng 2>/dev/null; show rng_current)"

ok "a source is selected" write rng_current cpu_rng.rdrand
ok "an empty line cancels the selection" write rng_current '\n'
ok "the best source is current" equal virtio_rng.0 "$(show rng_current)"
ok "the kernel chose the current source" equal 0 "$(show rng_selected)"

if since 6 12; then
	ok "rng_available lists none" available none
	ok "rng_available lists none last" equal none "$(show rng_available | tr -s ' ' '\n' | sed '/^$/d' | tail -n 1)"
	ok "none can be selected" write rng_current none
	ok "rng_current shows none" equal none "$(show rng_current)"
	ok "/dev/hwrng returns no data" equal 0 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
	ok "cpu_rng unloads and loads again" sh -c 'rmmod cpu_rng && modprobe cpu_rng'
	ok "none stays selected" equal none "$(show rng_current)"
	ok "an empty line cancels none" write rng_current '\n'
	ok "the best source is current" equal virtio_rng.0 "$(show rng_current)"
else
	ok "rng_available does not list none" unavailable none
	write rng_current none 2>/dev/null
	ok "none cannot be selected" equal virtio_rng.0 "$(show rng_current)"
fi

if [ -e $dir/rng_quality ]; then
	write rng_current cpu_rng.rdrand
	ok "rng_quality shows the quality of the current source" equal 4 "$(show rng_quality)"
	ok "another source is selected" write rng_current virtio_rng.0
	ok "rng_quality can be written" write rng_quality '5\n'
	ok "the write cancels the selection" equal 0 "$(show rng_selected)"
	ok "the source that is still the best stays current" equal virtio_rng.0 "$(show rng_current)"
	ok "the new quality is shown" equal 5 "$(show rng_quality)"
	ok "a quality above 1024 is refused" refused rng_quality '1025\n'
	ok "a quality below 0 is refused" refused rng_quality '-1\n'
	ok "a word is refused as quality" refused rng_quality 'x\n'
	ok "a write of one byte is refused" refused rng_quality 6
	ok "the quality is unchanged" equal 5 "$(show rng_quality)"
	ok "a lower quality is accepted" write rng_quality '3\n'
	ok "another source is now the best" equal cpu_rng.rdrand "$(show rng_current)"
	ok "a quality of 1024 is accepted" write rng_quality '1024\n'
	ok "a quality of 1024 is shown" equal 1024 "$(show rng_quality)"
	write rng_current virtio_rng.0
	write rng_quality '1000\n'
else
	skip "rng_quality" "this kernel does not have it"
fi

ok "an ordinary user may read the files" as_user cat $dir/rng_current $dir/rng_available
ok "an ordinary user may not select a source" user_may_not_write rng_current virtio_rng.0
write rng_current cpu_rng.rdrand
ok "cpu_rng unloads while its source is selected" rmmod cpu_rng
ok "its source is gone" unavailable cpu_rng.rdrand
ok "another source is current" equal virtio_rng.0 "$(show rng_current)"

echo "1..$count"
exit $((failed > 0))
