# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
description="kselftest hwrng_read: 64 readers, odd sizes, O_NONBLOCK, signals, no bytes served twice"
programs="build/kselftest/hwrng_read"

before() { build_kselftest; }

guest() { nested hwrng_read; }
