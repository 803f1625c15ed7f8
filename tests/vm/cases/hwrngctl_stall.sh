# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: virtio-rng gives nothing any more, and the TPM steps in"
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel: the oldest and the newest"
programs="build/hwrngctl /usr/bin/jq"
rng="file"

hw_random=/sys/class/misc/hw_random

# QEMU opens the FIFO for reading; who holds it open for writing soon writes no more. Some bytes must
# come: 6.1 and before read while virtio-rng registers, and hang if khwrngd is first and gets none.
before() { mkfifo "$rng_file"; }
during() { { head -c 256 /dev/urandom; sleep 600; } >"$rng_file"; }

guest() {
	start=$(cut -d. -f1 /proc/uptime)
	hwrngctl -o json feed --once >/tmp/fed 2>/tmp/said
	check_equal "feed --once succeeds" 0 $?
	check_match "says that virtio_rng.0 stalled" 'virtio_rng\.0|/dev/hwrng: stalled' "$(cat /tmp/said)"
	check_equal "and feeds from the TPM" tpmrm0 "$(jq -r .source </tmp/fed)"
	check "within half a minute" test $(($(cut -d. -f1 /proc/uptime) - start)) -lt 30
	check_fails "bench says so, too" 5 hwrngctl bench --seconds 0.1
	check_match "in its row" '^virtio_rng\.0 .*stalled' "$(cat "$output")"
	check_match "and measures the others" '^tpmrm0 +[0-9.]+ [kM]?B/s' "$(cat "$output")"
	check_fails "a stalled source by name is an error of input" 5 hwrngctl test --source virtio_rng.0
}
