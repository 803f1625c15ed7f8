#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # the functions are called by "ok"
#
# The files below /sys/class/misc/hw_random, and how kernels differ in them. Wants a guest with
# virtio-rng and a CPU with RDRAND; run as root.

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

# since MAJOR MINOR: this kernel is at least that.
since() {
	release=$(uname -r)
	minor=${release#*.}
	minor=${minor%%[!0-9]*}
	[ "${release%%.*}" -gt "$1" ] || { [ "${release%%.*}" -eq "$1" ] && [ "$minor" -ge "$2" ]; }
}

show() { cat "$dir/$1" 2>/dev/null; }
available() { show rng_available | tr ' ' '\n' | grep -qx "$1"; }
unavailable() { ! available "$1"; }
# write FILE TEXT: in one write(); without a newline unless there is one in it.
write() { printf '%b' "$2" 2>/dev/null >"$dir/$1"; }
refused() { ! write "$@" 2>/dev/null; }
as_user() { setpriv --reuid=1000 --regid=1000 --clear-groups "$@"; }
user_may_not_write() { ! as_user sh -c "echo $2 >$dir/$1" 2>/dev/null; }

echo "TAP version 13"

ok "virtio_rng.0 is available" available virtio_rng.0
ok "and current" equal virtio_rng.0 "$(show rng_current)"
ok "by the kernel's choice" equal 0 "$(show rng_selected)"
ok "cpu_rng loads" modprobe cpu_rng
ok "its source becomes available" available cpu_rng.rdrand
ok "but not current, being worth less" equal virtio_rng.0 "$(show rng_current)"

ok "it can be chosen" write rng_current cpu_rng.rdrand
ok "reads back" equal cpu_rng.rdrand "$(show rng_current)"
ok "as a choice" equal 1 "$(show rng_selected)"
ok "with a newline, too" write rng_current 'virtio_rng.0\n'
ok "reads back" equal virtio_rng.0 "$(show rng_current)"

# Up to 6.12 no error, and no effect either.
if since 7 0; then
	ok "an unknown name is refused" refused rng_current nonsense
else
	ok "an unknown name is ignored" write rng_current nonsense
fi
ok "and changes nothing" equal virtio_rng.0 "$(show rng_current)"
ok "a part of a name is no name" equal "virtio_rng.0" "$(write rng_current cpu_rng 2>/dev/null; show rng_current)"

ok "a choice is made" write rng_current cpu_rng.rdrand
ok "an empty line gives it back" write rng_current '\n'
ok "the best is current" equal virtio_rng.0 "$(show rng_current)"
ok "by the kernel's choice" equal 0 "$(show rng_selected)"

if since 6 12; then
	ok "none is available" available none
	ok "and last" equal none "$(show rng_available | tr -s ' ' '\n' | sed '/^$/d' | tail -n 1)"
	ok "none can be chosen" write rng_current none
	ok "reads back" equal none "$(show rng_current)"
	ok "no source serves" equal 0 "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)"
	ok "cpu_rng unloads and loads again" sh -c 'rmmod cpu_rng && modprobe cpu_rng'
	ok "and none stays chosen" equal none "$(show rng_current)"
	ok "until an empty line" write rng_current '\n'
	ok "the best is current" equal virtio_rng.0 "$(show rng_current)"
else
	ok "there is no source named none" unavailable none
	write rng_current none 2>/dev/null
	ok "nor can it be chosen" equal virtio_rng.0 "$(show rng_current)"
fi

if [ -e $dir/rng_quality ]; then
	write rng_current cpu_rng.rdrand
	ok "the quality is that of the current source" equal 4 "$(show rng_quality)"
	ok "another choice is made" write rng_current virtio_rng.0
	ok "a quality is taken" write rng_quality '5\n'
	ok "which takes the choice away" equal 0 "$(show rng_selected)"
	ok "and leaves current what is still the best" equal virtio_rng.0 "$(show rng_current)"
	ok "with that quality" equal 5 "$(show rng_quality)"
	ok "above 1024 is refused" refused rng_quality '1025\n'
	ok "below 0 is refused" refused rng_quality '-1\n'
	ok "no number is refused" refused rng_quality 'x\n'
	ok "one byte is refused" refused rng_quality 6
	ok "the quality has stayed" equal 5 "$(show rng_quality)"
	ok "a lower one is taken" write rng_quality '3\n'
	ok "and makes another the best" equal cpu_rng.rdrand "$(show rng_current)"
	ok "1024 is taken" write rng_quality '1024\n'
	ok "with it in force" equal 1024 "$(show rng_quality)"
	write rng_current virtio_rng.0
	write rng_quality '1000\n'
else
	skip "the quality" "this kernel has no rng_quality"
fi

ok "an ordinary user may read the files" as_user cat $dir/rng_current $dir/rng_available
ok "but not choose" user_may_not_write rng_current virtio_rng.0
write rng_current cpu_rng.rdrand
ok "cpu_rng unloads while it is chosen" rmmod cpu_rng
ok "its source is gone" unavailable cpu_rng.rdrand
ok "another one is current" equal virtio_rng.0 "$(show rng_current)"

echo "1..$count"
exit $((failed > 0))
