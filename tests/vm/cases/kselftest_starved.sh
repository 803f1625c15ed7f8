# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="kselftest hwrng_starved: readers of a source that never delivers can leave"
arches=amd64 arches_why="the kselftests are built for amd64 only"
programs="build/kselftest/hwrng_starved"
rng="file"

# QEMU opens the FIFO for reading; who holds it open for writing never writes.
before() {
	mkfifo "$rng_file"
	build_kselftest
}
during() { sleep 600 >"$rng_file"; }

guest() { nested hwrng_starved; }
