# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="kselftest hwrng_sysfs: rng_available, rng_current, rng_quality, and differences between kernels"
arches=amd64 arches_why="it uses sources of amd64"
programs="build/kselftest/hwrng_sysfs"
tpm=none
cpu=max,-rdseed

before() { build_kselftest; }

guest() { nested hwrng_sysfs; }
