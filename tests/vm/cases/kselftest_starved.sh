# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="kselftest hwrng_starved: readers of a source without data can be interrupted and killed"
programs="build/kselftest/hwrng_starved"
rng="file"

# QEMU reads from the FIFO, and its writer soon writes no more. The first bytes are needed: up to 6.1 the
# kernel reads while virtio-rng registers, and hangs if khwrngd reads first and gets no data.
before() {
	mkfifo "$rng_file"
	build_kselftest
}
during() { { head -c 256 /dev/urandom; sleep 600; } >"$rng_file"; }

guest() {
	check "a reader stalls in virtio-rng" stall_hwrng
	nested hwrng_starved
}
