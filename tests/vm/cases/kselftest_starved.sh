# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="kselftest hwrng_starved: readers of a source that delivers no more can leave"
programs="build/kselftest/hwrng_starved"
rng="file"

# QEMU opens the FIFO for reading; who holds it open for writing soon writes no more. Some bytes must
# come: 6.1 and before read while virtio-rng registers, and hang if khwrngd is first and gets none.
before() {
	mkfifo "$rng_file"
	build_kselftest
}
during() { { head -c 256 /dev/urandom; sleep 600; } >"$rng_file"; }

guest() {
	check "a reader stalls in virtio-rng" stall_hwrng
	nested hwrng_starved
}
