# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="hwrngctl: virtio-rng no longer returns data, and feed uses the TPM instead"
kernels="5.10 7.3" kernels_why="the tool is tested, not the kernel; so only the oldest and the newest"
programs="build/hwrngctl /usr/bin/jq"
rng="file"

hw_random=/sys/class/misc/hw_random

# QEMU reads from the FIFO, and its writer soon writes no more. The first bytes are needed: up to 6.1 the
# kernel reads while virtio-rng registers, and hangs if khwrngd reads first and gets no data.
before() { mkfifo "$rng_file"; }
during() { { head -c 256 /dev/urandom; sleep 600; } >"$rng_file"; }

guest() {
	start=$(cut -d. -f1 /proc/uptime)
	hwrngctl -o json feed --once >/tmp/fed 2>/tmp/said
	check_equal "feed --once succeeds" 0 $?
	check_match "feed says that virtio_rng.0 stalled" 'virtio_rng\.0|/dev/hwrng: stalled' "$(cat /tmp/said)"
	check_equal "feed uses the TPM" tpmrm0 "$(jq -r .source </tmp/fed)"
	check "feed takes less than half a minute" test $(($(cut -d. -f1 /proc/uptime) - start)) -lt 30
	check_fails "bench fails" 5 hwrngctl bench --seconds 0.1
	check_match "bench shows virtio_rng.0 as stalled" '^virtio_rng\.0 .*stalled' "$(cat "$output")"
	check_match "bench measures the other sources" '^tpmrm0 +[0-9.]+ [kM]?B/s' "$(cat "$output")"
	check_fails "test fails with exit code 5 for a stalled source" 5 hwrngctl test --source virtio_rng.0
}
