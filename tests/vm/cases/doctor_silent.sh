# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
description="hwrngctl doctor: virtio-rng gives nothing any more"
like=doctor
kernels="6.12 7.3" kernels_why="those on which none can be selected"
rng="file"
tpm=none

before() { mkfifo "$rng_file"; }
during() { { head -c 256 /dev/urandom; sleep 600; } >"$rng_file"; }

guest() {
	check "a reader stalls in virtio-rng" stall_hwrng
	check_equal "is named" hwrng-silent "$(first)"
}
